"""Scenario files as studies read them: an expectation may ask for whatever the catalogue of metrics has."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sim import scenario
from sim.measure.catalogue import VOCABULARY
from sim.scenario import ScenarioFile
from sim.scenario.text.errors import did_you_mean, listed
from sim.study.errors import NoSuchVariant


def load(
    path: str | Path,
    sets: Sequence[str] = (),
    allow_dirs: Sequence[str | Path] = (),
    *,
    allow_code: bool = False,
    policies: Mapping[str, object] | None = None,
) -> ScenarioFile:
    """Read a scenario file; ScenarioError lists everything that is wrong with it.

    `sets` override single values in every variant, as in `router.probe.ttl=5s`. Trace files are looked for below the
    scenario's folder, then below each of `allow_dirs`, and have to lie in one of them. With `allow_code` a router's
    policy may be `module:name`, `./file.py:name` or `exec:./program`, which is imported, run or started.

    `policies` are functions, classes or objects that a scenario may name as its policy, or what a scenario in the
    working directory would write, such as `exec:./program`. One that no variant names gets a variant of its own, of the
    same name: the file's base, with this policy.
    """
    return scenario.load(path, sets, allow_dirs, metrics=VOCABULARY, allow_code=allow_code, policies=policies)


def loads(
    text: str,
    sets: Sequence[str] = (),
    folder: str | Path = ".",
    *,
    allow_code: bool = False,
    policies: Mapping[str, object] | None = None,
) -> ScenarioFile:
    """Read a scenario from a text, as `load` does from a file; files that it names are looked for below `folder`."""
    return scenario.loads(text, sets, folder, metrics=VOCABULARY, allow_code=allow_code, policies=policies)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield YAML files in order of their names, without hidden files and folders such as a virtual environment."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in (".yaml", ".yml") and not hidden and path.is_file():
            yield path


def as_loaded(
    file: ScenarioFile | str | Path, policies: Mapping[str, object] | None = None, *, allow_code: bool = False
) -> ScenarioFile:
    """Return what `load` makes of a path; to a file that is loaded come only the policies."""
    if not isinstance(file, ScenarioFile):
        return load(file, allow_code=allow_code, policies=policies)
    return file.with_policies(policies) if policies else file


def variant_of_policy(file: ScenarioFile, policy: str) -> str | None:
    """Return the variant whose router names this policy, if just one does."""
    named = [name for name, one in file.variants.items() if one.router.policy.name == policy]
    return named[0] if len(named) == 1 else None


def checked_variant(file: ScenarioFile, name: str | None) -> str:
    """Return the name, or that of the file's only variant if it is None.

    Raises NoSuchVariant if the file has no variant of that name, or has several and none is named.
    """
    if name is None and len(file.variants) > 1:
        raise NoSuchVariant(f"{file.path} has several variants; name one of them: {listed(file.variants)}")
    if name is None:
        return next(iter(file.variants))
    if name not in file.variants:
        hint = did_you_mean(name, file.variants)
        raise NoSuchVariant(f"{file.path} has no variant {name!r}; allowed: {listed(file.variants)}{hint}")
    return name
