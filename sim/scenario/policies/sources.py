"""Where a policy comes from: the catalogue, a package, a module, or a file or program beside the scenario."""

import os
import sys
from collections.abc import Mapping
from hashlib import blake2b
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from sim.programs.process import Program
from sim.routing.policies.catalogue import BUILT_IN, FLAWED, POLICIES
from sim.routing.policies.picker import raised
from sim.scenario.spec.policy import PROGRAM_PREFIX, PolicySpec
from sim.scenario.text.errors import found, listed, plain

GROUP = "sim.policies"
"""Of the entry points by which a package offers policies."""


class NoSuchPolicy(LookupError):
    """There is no policy of that name. The text says what was found and what is allowed."""

    def __init__(self, text: str, word: str = "", known: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.word = word
        """What was written, if it may be a misspelling of one of `known`."""
        self.known = known


def runs_code(name: str) -> bool:
    """Tell whether the name leads to code that nobody has installed as a policy."""
    return ":" in name


def find_policy(spec: PolicySpec, known: tuple[str, ...] = ()) -> object:
    """Return the function, class, object or program that the scenario names. Raises NoSuchPolicy.

    A file is run afresh each time, so that nothing is left in it of an earlier run or of another frontend. `known`
    are names that are allowed beside those of the catalogue and of installed packages.
    """
    if spec.given is not None:
        return spec.given
    if spec.name.startswith(PROGRAM_PREFIX):
        return _program(spec)
    where, colon, attribute = spec.name.rpartition(":")
    if not colon:
        return _installed(spec.name, known)
    if where.endswith(".py"):
        return _attribute(_run_file(spec.folder / where, where), attribute, where)
    if "/" in where:
        raise NoSuchPolicy(f"found {found(spec.name)}; allowed: a file whose name ends in .py, such as ./file.py:name")
    return _attribute(_module(where), attribute, where)


def _installed(name: str, known: tuple[str, ...]) -> object:
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return getattr(import_module(module), attribute)
    offered = _offered()
    if name in offered:
        try:
            return offered[name].load()
        except Exception as error:
            raise NoSuchPolicy(f"{offered[name].value} cannot be imported: {raised(error)}") from error
    names = (*POLICIES, *known, *offered)
    listed_names = ", ".join(map(plain, names))
    text = f"found {found(name)}; allowed: {listed_names}, module:name, ./file.py:name or exec:./program"
    raise NoSuchPolicy(text, word=name, known=(*names, *FLAWED))


def _program(spec: PolicySpec) -> Program:
    written = spec.name.removeprefix(PROGRAM_PREFIX)
    path = spec.folder / written
    if not path.is_file():
        raise NoSuchPolicy(f"there is no program {found(written)} beside the scenario, as {path}")
    if not os.access(path, os.X_OK):
        raise NoSuchPolicy(f"found {found(written)}, which may not be executed; allowed: after chmod +x {path}")
    return Program(path.parent.resolve() / path.name)


def _offered() -> Mapping[str, EntryPoint]:
    """Return the policies of installed packages by name, in the order of their names."""
    return {one.name: one for one in sorted(entry_points(group=GROUP), key=lambda one: (one.name, one.value))}


def _module(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise NoSuchPolicy(f"{name} cannot be imported: {raised(error)}") from error
        text = f"there is no module {found(name)}; allowed: an installed one, or one in a folder of PYTHONPATH"
        raise NoSuchPolicy(text) from None
    except (Exception, SystemExit) as error:
        raise NoSuchPolicy(f"{name} cannot be imported: {raised(error)}") from error


def _run_file(path: Path, written: str) -> ModuleType:
    # The whole path decides on the name: two files may have the same stem.
    digest = blake2b(str(path.resolve()).encode(), digest_size=8).hexdigest()
    module = ModuleType(f"sim_policy_{path.stem}_{digest}")
    module.__file__ = str(path)
    try:
        code = compile(path.read_bytes(), str(path), "exec")
        sys.modules[module.__name__] = module
        exec(code, vars(module))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NoSuchPolicy(f"{found(written)} cannot be read beside the scenario, as {path}: {reason}") from None
    except (Exception, SystemExit) as error:
        raise NoSuchPolicy(f"{written} cannot be run: {raised(error)}") from error
    return module


def _attribute(module: ModuleType, name: str, written: str) -> Any:
    names = tuple(one for one in vars(module) if not one.startswith("_"))
    if not hasattr(module, name):
        text = f"there is no {found(name)} in {written}; allowed: {listed(names) or 'nothing'}"
        raise NoSuchPolicy(text, word=name, known=names)
    return getattr(module, name)
