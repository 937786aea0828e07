"""From a scenario's `policy` to what a frontend asks, request by request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sim.programs.at_work import Programs
from sim.programs.process import Program
from sim.routing.policies.adapter import adapted, misfit, takes_parameters
from sim.routing.policies.choose import Chooser
from sim.routing.policies.port import PolicyClock, PolicyContext, PolicyError, Random
from sim.routing.ports import Clock
from sim.scenario.plan.streams import random_stream
from sim.scenario.policies.sources import NoSuchPolicy, find_policy
from sim.scenario.spec.policy import PolicySpec
from sim.scenario.text.errors import did_you_mean, found, listed


def policy_of(spec: PolicySpec, seed: int, frontend: int, programs: Programs) -> Callable[[Clock], Chooser]:
    """Return what makes the policy of one frontend in a run of that seed; what it draws is its own alone.

    A policy that is a program becomes one of the `programs`.
    """

    def make(clock: Clock) -> Chooser:
        return make_policy(spec, frontend, clock, draws_of(seed, frontend), programs)

    return make


def draws_of(seed: int, frontend: int) -> Random:
    """Return the stream that the policy of one frontend draws from."""
    return random_stream(seed, "policy", str(frontend), "draws")


def make_policy(spec: PolicySpec, frontend: int, clock: Clock, random: Random, programs: Programs) -> Chooser:
    """Return the policy of one frontend. Raises PolicyError if there is none of that name, or if it cannot be made."""
    try:
        policy = find_policy(spec)
        parameters = checked_parameters(policy, spec.parameters)
    except (NoSuchPolicy, BadParameters) as error:
        raise PolicyError(f"{spec}: {error}") from error
    context = PolicyContext(frontend, PolicyClock(clock.now_ns), random, parameters)
    if isinstance(policy, Program):
        policy = programs.start(policy, context, str(spec))
    return adapted(policy, context, str(spec))


def why_unusable(policy: object) -> str:
    """Return why this cannot be a policy, or nothing if it can; nothing is called or started."""
    return "" if isinstance(policy, Program) else misfit(policy)


def given_policy(policy: object) -> PolicySpec:
    """Return what stands for a policy that the caller of the API hands over; ValueError for what cannot be one."""
    if reason := why_unusable(policy):
        raise ValueError(f"policy: {reason}")
    return PolicySpec(getattr(policy, "__name__", type(policy).__name__), given=policy)


class BadParameters(ValueError):
    """The policy does not have such keys, or not with such values."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key}: {text}")
        self.key = key
        self.text = text


def checked_parameters(policy: object, written: Mapping[str, Any]) -> Any:
    """Return the policy's own keys as it wants them. Raises BadParameters.

    That is an instance of the dataclass that its class declares as `parameters`, or else a mapping, for the policy to
    check itself, as a program does too. Functions and ready-made objects have no keys.
    """
    declared = getattr(policy, "parameters", None)
    if written and not (isinstance(policy, Program) or takes_parameters(policy)):
        raise BadParameters(
            next(iter(written)), "found a key; allowed: none, only a program or a class made from a context has keys"
        )
    if not (isinstance(policy, type) and isinstance(declared, type) and is_dataclass(declared)):
        return MappingProxyType(dict(written))
    known = list(declared.__dataclass_fields__)
    for key in written:
        if key not in known:
            text = f"found an unknown key; allowed: {listed(known) or 'none'}{did_you_mean(key, known)}"
            raise BadParameters(key, text)
    try:
        return _adapter(declared).validate_python(dict(written))
    except ValidationError as error:
        raise _bad_parameters(error, known) from None


@lru_cache
def _adapter(declared: type) -> TypeAdapter[Any]:
    # Kept, because it takes a millisecond to make, and each frontend of each run makes a policy.
    return TypeAdapter(declared)


def _bad_parameters(error: ValidationError, known: Sequence[str]) -> BadParameters:
    """Return what is wrong with the first bad key. A policy's own check may name its key: `d: found 0; ...`."""
    fault, *others = error.errors(include_url=False)
    # A key that may hold one of several kinds has a fault for each.
    of_other_kinds = [one["msg"] for one in others if one["loc"][:1] == fault["loc"][:1]]
    text = " or ".join([fault["msg"].removeprefix("Value error, "), *of_other_kinds])
    key, colon, rest = text.partition(": ")
    if colon and key in known:
        return BadParameters(key, rest)
    shown = "nothing" if fault["type"] == "missing" else found(fault["input"])
    return BadParameters(str(fault["loc"][0]) if fault["loc"] else "name", f"found {shown}; {text.lower()}")
