"""Faults of the frontends, which route.

F1   frontend_crash
F2   frontend_crash, with restart_after
F3   frontend_pause
F4   background_doubled
F5   mixed_policy
"""

from typing import Literal

from pydantic import Field

from sim.scenario.spec.faults.base import FaultSpec, FrontendTarget, SpellFault, TimedFault
from sim.scenario.spec.router import RouterSpec
from sim.scenario.text.units import Duration


class FrontendCrashFault(FrontendTarget, TimedFault):
    """Stops a frontend at once; its requests end, and what it had reserved stays reserved."""

    kind: Literal["frontend_crash"]
    restart_after_ns: Duration | None = Field(default=None, alias="restart_after")
    """Time from the crash until the frontend is back with empty caches; never if not given."""


class FrontendPauseFault(FrontendTarget, SpellFault):
    """Freezes a frontend; afterwards it goes on where it was, with all its timers late."""

    kind: Literal["frontend_pause"]


class BackgroundDoubledFault(FrontendTarget, FaultSpec):
    """Makes a frontend run each of its background passes twice at the same time."""

    kind: Literal["background_doubled"]
    at_ns: Duration = Field(default=0, alias="at")
    """Time from which passes run twice."""


class MixedPolicyFault(FrontendTarget, FaultSpec):
    """Makes one frontend route by settings of its own, as in the middle of an upgrade."""

    kind: Literal["mixed_policy"]
    router: RouterSpec
    """The frontend's own settings. Keys not written come from its profile, not from the scenario's `router`."""
