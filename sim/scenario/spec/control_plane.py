"""The loops that keep the fleet in shape, and the bounds that they keep it in."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from sim.routing.settings import ControlPlaneSettings, HealthMonitorSettings, ReconcilerSettings
from sim.routing.units import NS_PER_S
from sim.scenario.spec.base import Spec, wrong
from sim.scenario.text.units import Duration

Label = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Labels = Annotated[dict[str, Label], Field(max_length=100)]


class SchedulingSpec(Spec):
    """Where replicas of a model may run, and how many there should be."""

    selector: Labels = Field(default_factory=dict)
    """Labels that a node must have to take a replica of the model."""
    conflicts: Annotated[tuple[str, ...], Field(max_length=1000)] = ()
    """Models that should not share a node with this one."""
    min_replicas: int | None = Field(default=None, alias="min", ge=0, le=10_000)
    """Number of replicas that the reconciler keeps loaded; no lower bound if absent or 0."""
    max_replicas: int | None = Field(default=None, alias="max", ge=0, le=10_000)
    """Largest number of replicas; no upper bound if absent or 0."""
    spread: bool = False
    """Whether the model has one replica on every matching node, which then sets both bounds."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min_replicas and self.max_replicas and self.min_replicas > self.max_replicas:
            raise wrong("min", f"found {self.min_replicas} above max; allowed: at most {self.max_replicas}")
        return self


class HealthMonitorSpec(Spec):
    """Checks heartbeats and probes replicas."""

    tick_ns: Duration = Field(default=15 * NS_PER_S, alias="tick", gt=0)
    """Time from one pass of the monitor to the next."""
    stale_after_ns: Duration = Field(default=60 * NS_PER_S, alias="stale_after", gt=0)
    """Age above which a node's last heartbeat takes the node offline."""
    probe_timeout_ns: Duration = Field(default=5 * NS_PER_S, alias="probe_timeout", gt=0)
    """Time after which a probe of the monitor counts as failed."""
    misses: int = Field(default=3, ge=1, le=1000)
    """Number of failed probes in a row after which a row is deleted."""

    def settings(self) -> HealthMonitorSettings:
        """Return the settings that the routing code uses."""
        return HealthMonitorSettings(self.tick_ns, self.stale_after_ns, self.probe_timeout_ns, self.misses)


class ReconcilerSpec(Spec):
    """Compares the fleet with the bounds of its models, and its rows with the processes."""

    tick_ns: Duration = Field(default=30 * NS_PER_S, alias="tick", gt=0)
    """Time from one pass of the reconciler to the next."""
    idle_after_ns: Duration = Field(default=300 * NS_PER_S, alias="idle_after")
    """Time since a replica's last use after which a scale-down may take it."""
    fruitless_passes: int = Field(default=3, ge=1, le=1000)
    """Number of passes without capacity after which a model's minimum is given up for a while."""
    cooldown_ns: Duration = Field(default=300 * NS_PER_S, alias="cooldown")
    """Time for which that minimum is given up."""
    stale_row_after_ns: Duration = Field(default=120 * NS_PER_S, alias="stale_row_after")
    """Time since a row's last update after which its process is looked for."""
    probe_timeout_ns: Duration = Field(default=NS_PER_S, alias="probe_timeout", gt=0)
    """Time after which a probe of such a row counts as failed."""
    worker_timeout_ns: Duration = Field(default=10 * NS_PER_S, alias="worker_timeout", gt=0)
    """Time after which `hardened` goes on without a worker that was asked what it runs, or to stop a process."""
    leak_after_ns: Duration = Field(default=1800 * NS_PER_S, alias="leak_after")
    """Time since a row's last use after which its in-flight count is taken for a leak."""

    def settings(self) -> ReconcilerSettings:
        """Return the settings that the routing code uses."""
        return ReconcilerSettings(
            tick_ns=self.tick_ns,
            idle_after_ns=self.idle_after_ns,
            fruitless_passes=self.fruitless_passes,
            cooldown_ns=self.cooldown_ns,
            stale_row_after_ns=self.stale_row_after_ns,
            probe_timeout_ns=self.probe_timeout_ns,
            worker_timeout_ns=self.worker_timeout_ns,
            leak_after_ns=self.leak_after_ns,
        )


class ControlPlaneSpec(Spec):
    """The loops that every frontend runs, and the workers' heartbeats."""

    heartbeat_ns: Duration = Field(default=10 * NS_PER_S, alias="heartbeat", gt=0)
    """Time from one heartbeat of a node to the next."""
    health_monitor: HealthMonitorSpec | None = HealthMonitorSpec()
    """The loop that checks heartbeats and probes replicas; null switches it off."""
    reconciler: ReconcilerSpec | None = ReconcilerSpec()
    """The loop that keeps the number of replicas within bounds; null switches it off."""

    def settings(self) -> ControlPlaneSettings:
        """Return the settings that the routing code uses. Heartbeats belong to the workers."""
        return ControlPlaneSettings(
            health_monitor=None if self.health_monitor is None else self.health_monitor.settings(),
            reconciler=None if self.reconciler is None else self.reconciler.settings(),
        )
