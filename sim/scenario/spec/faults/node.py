"""Faults of machines.

N1   node_crash
N2   node_pause
N3   node_slow
N4   node_drain
N5   node_reregister
N6   node_vram_report
N7   node_group_crash
N8   node_crash_loop
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.routing.units import NS_PER_S
from sim.scenario.spec.base import wrong
from sim.scenario.spec.faults.base import Factor, OnsetFault, ReportedVram, SpellFault, TimedFault
from sim.scenario.text.units import Duration, format_duration


class NodeCrashFault(TimedFault):
    """Stops a node and every process on it at once; what they were doing is lost."""

    kind: Literal["node_crash"]
    node: str
    """Name of the node."""
    restart_after_ns: Duration | None = Field(default=None, alias="restart_after")
    """Time from the crash until the node is back, empty; never if not given."""


class NodePauseFault(SpellFault):
    """Freezes a node; afterwards it goes on where it was, with all its timers late."""

    kind: Literal["node_pause"]
    node: str
    """Name of the node."""


class NodeSlowFault(OnsetFault):
    """Makes all work on a node take longer."""

    kind: Literal["node_slow"]
    node: str
    """Name of the node."""
    factor: Factor
    """Factor by which work takes longer."""


class NodeDrainFault(TimedFault):
    """Takes a node out of service in good order: it finishes what it has and gets nothing new."""

    kind: Literal["node_drain"]
    node: str
    """Name of the node."""
    returns_after_ns: Duration | None = Field(default=None, alias="returns_after")
    """Time from the beginning of the drain until the node is in service again; never if not given."""


class NodeReregisterFault(TimedFault):
    """Makes a running node register again under its own name, which deletes the rows of its replicas."""

    kind: Literal["node_reregister"]
    node: str
    """Name of the node."""


class NodeVramReportFault(OnsetFault):
    """Makes a node report this much free memory, whatever it has."""

    kind: Literal["node_vram_report"]
    node: str
    """Name of the node."""
    reports_bytes: ReportedVram = Field(alias="reports")
    """Free memory that the node reports: a size, or `unknown`."""


class NodeGroupCrashFault(TimedFault):
    """Stops several nodes shortly after one another, as a power cut does."""

    kind: Literal["node_group_crash"]
    nodes: Annotated[tuple[str, ...], Field(min_length=2, max_length=1000)]
    """Names of the nodes."""
    within_ns: Duration = Field(default=NS_PER_S, alias="within")
    """Longest time from the first crash to the last."""
    restart_after_ns: Duration | None = Field(default=None, alias="restart_after")
    """Time from each crash until that node is back; never if not given."""
    restart_order: Literal["same", "reversed", "shuffled"] = "same"
    """Order in which the nodes come back, relative to the order of their crashes."""

    @model_validator(mode="after")
    def _order_of_something(self) -> Self:
        if self.restart_after_ns is None and self.restart_order != "same":
            raise wrong("restart_order", "found an order though no node comes back; allowed: with restart_after")
        return self


class NodeCrashLoopFault(TimedFault):
    """Stops a node again and again, at regular intervals."""

    kind: Literal["node_crash_loop"]
    node: str
    """Name of the node."""
    every_ns: Duration = Field(alias="every", gt=0)
    """Time from one crash to the next."""
    down_ns: Duration = Field(alias="down", gt=0)
    """Time from each crash until the node is back."""
    times: int = Field(ge=2, le=10_000)
    """Number of crashes."""

    @model_validator(mode="after")
    def _back_before_the_next(self) -> Self:
        if self.down_ns >= self.every_ns:
            every = format_duration(self.every_ns)
            raise wrong("down", f"found {format_duration(self.down_ns)}; allowed: less than every, {every}")
        return self
