"""The loops that keep the fleet in shape, and the bounds that they keep it in."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from sim.routing.settings import ControlPlaneSettings, HealthMonitorSettings, ReconcilerSettings
from sim.scenario.spec.base import Spec, wrong
from sim.scenario.text.units import Duration

_S = 1_000_000_000

Label = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Labels = Annotated[dict[str, Label], Field(max_length=100)]


class SchedulingSpec(Spec):
    """Where replicas of a model may run, and how many there are to be."""

    selector: Labels = Field(default_factory=dict)
    """Labels that a node must have."""
    conflicts: Annotated[tuple[str, ...], Field(max_length=1000)] = ()
    """Models that should not share a node with it."""
    min_replicas: int | None = Field(default=None, alias="min", ge=0, le=10_000)
    max_replicas: int | None = Field(default=None, alias="max", ge=0, le=10_000)
    """Absent or 0 for no bound."""
    spread: bool = False
    """One replica on every matching node, which then sets both bounds."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min_replicas and self.max_replicas and self.min_replicas > self.max_replicas:
            raise wrong("min", f"found {self.min_replicas} above max; allowed: at most {self.max_replicas}")
        return self


class HealthMonitorSpec(Spec):
    """Looks after heartbeats, and asks replicas whether they are well."""

    tick_ns: Duration = Field(default=15 * _S, alias="tick", gt=0)
    stale_after_ns: Duration = Field(default=60 * _S, alias="stale_after", gt=0)
    """Strictly older heartbeats take a node offline."""
    probe_timeout_ns: Duration = Field(default=5 * _S, alias="probe_timeout", gt=0)
    misses: int = Field(default=3, ge=1, le=1000)
    """In a row, for the row to be deleted."""

    def settings(self) -> HealthMonitorSettings:
        """Return what the routing code is to go by."""
        return HealthMonitorSettings(self.tick_ns, self.stale_after_ns, self.probe_timeout_ns, self.misses)


class ReconcilerSpec(Spec):
    """Compares the fleet with the bounds of its models, and its rows with the processes."""

    tick_ns: Duration = Field(default=30 * _S, alias="tick", gt=0)
    idle_after_ns: Duration = Field(default=300 * _S, alias="idle_after")
    """Since a replica's last use, for a scale-down to take it."""
    fruitless_passes: int = Field(default=3, ge=1, le=1000)
    """Passes without capacity, for a model's minimum to be given up for a while."""
    cooldown_ns: Duration = Field(default=300 * _S, alias="cooldown")
    stale_row_after_ns: Duration = Field(default=120 * _S, alias="stale_row_after")
    """Since a row's last update, for its process to be looked for."""
    probe_timeout_ns: Duration = Field(default=1 * _S, alias="probe_timeout", gt=0)
    leak_after_ns: Duration = Field(default=1800 * _S, alias="leak_after")
    """Since a row's last use, for its count to be taken for a leak."""

    def settings(self) -> ReconcilerSettings:
        """Return what the routing code is to go by."""
        return ReconcilerSettings(
            tick_ns=self.tick_ns,
            idle_after_ns=self.idle_after_ns,
            fruitless_passes=self.fruitless_passes,
            cooldown_ns=self.cooldown_ns,
            stale_row_after_ns=self.stale_row_after_ns,
            probe_timeout_ns=self.probe_timeout_ns,
            leak_after_ns=self.leak_after_ns,
        )


class ControlPlaneSpec(Spec):
    """Which loops every frontend runs, beside the workers' heartbeats."""

    heartbeat_ns: Duration = Field(default=10 * _S, alias="heartbeat", gt=0)
    health_monitor: HealthMonitorSpec | None = HealthMonitorSpec()
    reconciler: ReconcilerSpec | None = ReconcilerSpec()

    def settings(self) -> ControlPlaneSettings:
        """Return what the routing code is to go by; heartbeats are the workers' business."""
        return ControlPlaneSettings(
            health_monitor=None if self.health_monitor is None else self.health_monitor.settings(),
            reconciler=None if self.reconciler is None else self.reconciler.settings(),
        )
