"""Looks a scenario's policies up while it is loaded, so that a mistake is told with its place before anything runs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from sim.routing.policies.catalogue import BUILT_IN
from sim.scenario.policies.making import BadParameters, checked_parameters, why_unusable
from sim.scenario.policies.sources import NoSuchPolicy, find_policy, runs_code
from sim.scenario.spec.policy import PolicySpec, parse_policy
from sim.scenario.spec.schema import Scenario, with_policies
from sim.scenario.text.errors import Path, Problem, found
from sim.scenario.text.merge import Locator

REFUSAL = "runs code of your own; allowed: with --allow-code, or load(..., allow_code=True)"


@dataclass(frozen=True)
class PolicyRules:
    """Which policies the scenarios of one file may name."""

    folder: FilePath
    """Where the names of files start from."""
    allow_code: bool = False
    """Whether a scenario may name code that nobody has installed as a policy."""
    given: Mapping[str, object] = field(default_factory=dict)
    """Policies that the caller of the API has handed over, by name.

    Text is what a scenario in the working directory would write.
    """
    _looked_up: dict[str, object] = field(default_factory=dict, init=False)
    """What was found under each name, or the reason why nothing was: variants share their policies."""

    def __post_init__(self) -> None:
        """Refuse a name that is taken, and what cannot be a policy; ValueError."""
        for name, policy in self.given.items():
            if name in BUILT_IN or runs_code(name):
                raise ValueError(f"policies: found the name {found(name)}; allowed: one that no other policy has")
            if not isinstance(policy, str) and (reason := why_unusable(policy)):
                raise ValueError(f"policies[{name!r}]: {reason}")

    def not_named_by(self, variants: Iterable[Locator]) -> list[str]:
        """Return the names of those handed over that no variant names."""
        named = [written for locator in variants for _, written in _written_policies(locator.document)]
        return [name for name in self.given if name not in [_name(written) for written in named]]

    def problems(self, locator: Locator) -> Iterator[Problem]:
        """Yield what is wrong with the policies that the document names, wherever it does so."""
        for path, written in _written_policies(locator.document):
            try:
                spec = parse_policy(written)
            except ValueError:
                continue  # The schema tells.
            try:
                self._check(spec)
            except NoSuchPolicy as error:
                yield locator.problem(path, str(error), word=error.word, known=error.known)
            except BadParameters as error:
                yield locator.problem((*path, error.key), error.text)

    def settled(self, scenario: Scenario, locator: Locator) -> Scenario:
        """Return the scenario with policies that know where they were written and where they come from."""
        return with_policies(
            scenario, lambda policy, path: replace(self._complete(policy), place=_place(locator, path))
        )

    def _complete(self, spec: PolicySpec) -> PolicySpec:
        given = self.given.get(spec.name)
        if isinstance(given, str):
            return replace(spec, name=given, folder=FilePath.cwd())
        return replace(spec, folder=self.folder, given=given)

    def _check(self, spec: PolicySpec) -> None:
        """Raise NoSuchPolicy or BadParameters if the policy cannot be had as it is written."""
        complete = self._complete(spec)
        if runs_code(complete.name) and not self.allow_code:
            raise NoSuchPolicy(f"found {found(complete.name)}, which {REFUSAL}")
        if spec.name not in self._looked_up:
            self._looked_up[spec.name] = self._find(complete)
        policy = self._looked_up[spec.name]
        if isinstance(policy, NoSuchPolicy):
            raise policy
        checked_parameters(policy, spec.parameters)

    def _find(self, spec: PolicySpec) -> object:
        try:
            policy = find_policy(spec, tuple(self.given))
        except NoSuchPolicy as error:
            return error
        reason = why_unusable(policy)
        return NoSuchPolicy(f"{spec.name}: {reason}") if reason else policy


def policy_problem(name: str, folder: FilePath, place: str, *, allow_code: bool) -> Problem | None:
    """Return what is wrong with a policy that is named outside of a scenario, seen from the folder; None if nothing."""
    try:
        PolicyRules(folder, allow_code)._check(parse_policy(name))
    except NoSuchPolicy as error:
        return Problem(place, "", str(error), error.word, error.known)
    except ValueError as error:
        return Problem(place, "", str(error))
    return None


def _place(locator: Locator, path: Path) -> str:
    return locator.problem(path, "").place if locator.is_written(path) else ""


def _written_policies(document: Any) -> Iterator[tuple[Path, Any]]:
    """Yield each policy that the document writes: the router's, and those of single frontends."""
    yield from _policy_of(document, ())
    faults = document.get("faults") if isinstance(document, dict) else None
    for index, fault in enumerate(faults if isinstance(faults, tuple) else ()):
        yield from _policy_of(fault, ("faults", index))


def _name(written: Any) -> Any:
    return written.get("name") if isinstance(written, dict) else written


def _policy_of(part: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    router = part.get("router") if isinstance(part, dict) else None
    if isinstance(router, dict) and "policy" in router:
        yield (*path, "router", "policy"), router["policy"]
