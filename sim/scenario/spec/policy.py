"""Which policy a router asks, as a scenario writes it: a name, or a mapping of a name and the policy's own keys."""

import os
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from sim.routing.policies.port import PolicyError
from sim.scenario.text.errors import found

PROGRAM_PREFIX = "exec:"
"""Of the name of a program."""

_ALLOWED = (
    "a name, module:name, ./file.py:name or exec:./program, or a mapping with such a name and the policy's own keys"
)
_NAME_SCHEMA = {
    "type": "string",
    "description": "A policy's name, module:name, or ./file.py:name or exec:./program beside the scenario.",
    "minLength": 1,
    "maxLength": 1000,
}


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """One `policy` of a scenario."""

    name: str
    """As written: a name, `module:name`, `./file.py:name` or `exec:./program`."""
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The policy's own keys."""
    place: str = field(default="", compare=False)
    """Where it is written, as `file:line:column`."""
    folder: Path = field(default=Path(), compare=False)
    """Where a file's name starts from: the scenario's own folder."""
    given: object = field(default=None, compare=False, repr=False)
    """The policy itself, where the caller of the API has handed it over."""

    def __str__(self) -> str:
        """Name it in an error, with its place."""
        return f"{self.place}: router.policy: {self.name}" if self.place else f"router.policy: {self.name}"

    def seen_from(self, folder: Path) -> "PolicySpec":
        """Return the same policy as a scenario in that folder would name it."""
        if self.name.startswith(PROGRAM_PREFIX):
            program = self._seen_from(folder, self.name.removeprefix(PROGRAM_PREFIX))
            return replace(self, name=f"{PROGRAM_PREFIX}{program}", folder=folder)
        where, _, attribute = self.name.rpartition(":")
        if not where.endswith(".py"):
            return self
        return replace(self, name=f"{self._seen_from(folder, where)}:{attribute}", folder=folder)

    def _seen_from(self, folder: Path, file: str) -> str:
        relative = Path(os.path.relpath(self.folder / file, folder)).as_posix()
        return relative if relative.startswith("../") else f"./{relative}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process; PolicyError if the policy that was handed over cannot."""
        if reason := _why_unsendable(self.given):
            raise PolicyError(
                f"{self} cannot be sent to another process: {reason}; allowed: a function or class at the top of a "
                "module, or one process for all runs"
            )
        return (PolicySpec, (self.name, self.parameters, self.place, self.folder, self.given))


def _why_unsendable(policy: object) -> str:
    """Return why another process could not have the policy; empty if it can."""
    try:
        pickle.dumps(policy)
    except Exception as error:
        return str(error)
    home = getattr(policy, "__module__", None)
    # Pickle sends a name, and what is typed at a prompt has no file in which another process could look it up.
    if home == "__main__" and not hasattr(sys.modules[home], "__file__"):
        return "it is defined in a notebook or at a prompt"
    return ""


def parse_policy(written: object) -> PolicySpec:
    """Return what a scenario writes under `policy`; ValueError if that is none."""
    if isinstance(written, PolicySpec):
        return written
    name = written.get("name") if isinstance(written, dict) else written
    if isinstance(written, dict) and name is None:
        raise ValueError("found a mapping without name; allowed: the policy's name, then its own keys")
    if not isinstance(name, str) or not 0 < len(name) <= 1000:
        raise ValueError(f"found {found(name)}; allowed: {_ALLOWED}")
    own = {key: value for key, value in written.items() if key != "name"} if isinstance(written, dict) else {}
    return PolicySpec(name, own)


def _written(policy: PolicySpec) -> Any:
    return {"name": policy.name, **policy.parameters} if policy.parameters else policy.name


Policy: TypeAlias = Annotated[
    PolicySpec,
    PlainValidator(parse_policy),
    PlainSerializer(_written),
    WithJsonSchema(
        {
            "anyOf": [
                _NAME_SCHEMA,
                # Without its name, a variant changes keys of the base's policy.
                {"type": "object", "properties": {"name": _NAME_SCHEMA}},
            ],
            "examples": ["best_replica", "./my_picker.py:pick", "exec:./my_picker", {"name": "power_of_d", "d": 2}],
        }
    ),
]
"""A PolicySpec in the program, its text or mapping in the file."""
