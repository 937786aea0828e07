"""Faults of the frontends' wall clocks. What a frontend measures by its monotonic clock stays right.

C1   clock_offset
C2   clock_drift
C3   clock_step
C4   clock_frozen
C5   clock_coarse
C6   clock_zone
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.scenario.spec.base import wrong
from sim.scenario.spec.faults.base import FaultSpec, FrontendTarget, OnsetFault, Shift, TimedFault, between
from sim.scenario.text.units import Duration, format_duration, parse_duration_ns

_FARTHEST_ZONE = "14h"


class _WrongClock(FrontendTarget, FaultSpec):
    at_ns: Duration = Field(default=0, alias="at")
    """Time at which the clock goes wrong."""


class ClockOffsetFault(Shift, _WrongClock):
    """Sets a clock ahead of the true time, or behind it, and leaves it so."""

    kind: Literal["clock_offset"]


class ClockDriftFault(_WrongClock):
    """Lets a clock run too fast or too slowly."""

    kind: Literal["clock_drift"]
    percent: float = Field(ge=-5, le=5)
    """How much too fast the clock runs, in per cent; negative if it is too slow."""

    @model_validator(mode="after")
    def _any_drift(self) -> Self:
        if self.percent == 0:
            raise wrong("percent", "found 0; allowed: from -5 to 5, but not 0")
        return self


class ClockStepFault(Shift, FrontendTarget, TimedFault):
    """Makes a clock jump once, forwards or backwards."""

    kind: Literal["clock_step"]


class ClockFrozenFault(FrontendTarget, OnsetFault):
    """Stops a clock. Afterwards it shows the right time again."""

    kind: Literal["clock_frozen"]


class ClockCoarseFault(_WrongClock):
    """Makes a clock advance in steps, so that different moments look the same."""

    kind: Literal["clock_coarse"]
    step_ns: Annotated[Duration, between("1ms", "1s")] = Field(alias="step")
    """Length of the steps in which the clock advances."""


class ClockZoneFault(Shift, _WrongClock):
    """Makes a frontend write its local time as if it were UTC."""

    kind: Literal["clock_zone"]

    @model_validator(mode="after")
    def _a_zone_on_earth(self) -> Self:
        if abs(self.shift_ns) > parse_duration_ns(_FARTHEST_ZONE):
            key = "ahead" if self.shift_ns > 0 else "behind"
            raise wrong(key, f"found {format_duration(abs(self.shift_ns))}; allowed: at most {_FARTHEST_ZONE}")
        return self
