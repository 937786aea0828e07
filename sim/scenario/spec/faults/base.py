"""What kinds of fault have in common: when they strike, how long they last, how often, and whom."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from sim.scenario.spec.base import Spec, wrong
from sim.scenario.text.units import (
    SIZE_PATTERN,
    Duration,
    format_duration,
    format_size,
    parse_duration_ns,
    parse_size_bytes,
)


class FaultSpec(Spec):
    """One entry of a scenario's `faults`."""

    kind: str


class TimedFault(FaultSpec):
    """A fault that strikes at one moment."""

    at_ns: Duration = Field(alias="at")
    """Time at which the fault strikes."""


class SpellFault(TimedFault):
    """A fault that begins at one moment and passes."""

    lasts_ns: Duration = Field(alias="lasts", gt=0)
    """Time for which the fault lasts."""


class OnsetFault(TimedFault):
    """A fault that begins at one moment, and passes or stays."""

    lasts_ns: Duration | None = Field(default=None, alias="lasts", gt=0)
    """Time for which the fault lasts; until the end of the run if not given."""


class WindowFault(FaultSpec):
    """A condition that holds during a part of the run, or all of it."""

    at_ns: Duration = Field(default=0, alias="at")
    """Time at which the fault begins."""
    lasts_ns: Duration | None = Field(default=None, alias="lasts", gt=0)
    """Time for which the fault lasts; until the end of the run if not given."""


Share = Annotated[float, Field(gt=0, le=1)]
"""Probability with which each possible target is hit, independently of the others."""
Index = Annotated[int, Field(ge=0)]
"""Index of one of several, from 0."""
Factor = Annotated[float, Field(ge=1, le=100)]
"""Factor by which something takes longer."""


class RateFault(WindowFault):
    """A condition during which each possible target is hit at random."""

    rate: Share
    """Probability with which each possible target is hit."""


class ReplicaTarget(Spec):
    """The keys that name one replica."""

    node: str
    """Name of the replica's node."""
    model: str
    """Name of the replica's model."""
    index: Index = 0
    """Index of the replica among those of the model on the node, from 0."""


class FrontendTarget(Spec):
    """The key that names one frontend."""

    frontend: Index
    """Index of the frontend that is hit, from 0."""


class Shift(Spec):
    """How far a clock is from the right time, and in which direction: exactly one of the two keys."""

    ahead_ns: Duration | None = Field(default=None, alias="ahead", gt=0)
    """Time by which the clock is ahead."""
    behind_ns: Duration | None = Field(default=None, alias="behind", gt=0)
    """Time by which the clock is behind."""

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if (self.ahead_ns is None) == (self.behind_ns is None):
            count = "neither" if self.ahead_ns is None else "both"
            raise wrong("", f"found {count} of ahead and behind; allowed: exactly one of them")
        return self

    @property
    def shift_ns(self) -> int:
        """What is added to the right time; negative for a clock that is behind."""
        return (self.ahead_ns or 0) - (self.behind_ns or 0)


def between(least: str, most: str) -> AfterValidator:
    """Return a bound on a duration, from the one text to the other, both included."""
    least_ns, most_ns = parse_duration_ns(least), parse_duration_ns(most)

    def check(duration_ns: int) -> int:
        if not least_ns <= duration_ns <= most_ns:
            raise ValueError(f"found {format_duration(duration_ns)}; allowed: from {least} to {most}")
        return duration_ns

    return AfterValidator(check)


def _parse_report(written: object) -> int | Literal["unknown"]:
    if written == "unknown":
        return "unknown"
    try:
        return parse_size_bytes(written)
    except ValueError as error:
        raise ValueError(f"{error}, or unknown") from None


def _format_report(report: int | Literal["unknown"]) -> str:
    return format_size(report) if isinstance(report, int) else report


ReportedVram = Annotated[
    int | Literal["unknown"],
    BeforeValidator(_parse_report),
    PlainSerializer(_format_report, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": SIZE_PATTERN}, {"const": "unknown"}]}),
]
"""Free memory as a node reports it: bytes in the program, `24GB` in the file; or that it does not know."""
