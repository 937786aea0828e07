"""A frontend's background loops: those of the control plane, each with a ticker of its own."""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sim.routing.control_plane.health_monitor import HealthMonitor
from sim.routing.control_plane.replica_pass import ReplicaPass
from sim.routing.control_plane.state_pass import StatePass
from sim.routing.control_plane.ticker import Pass, tick_for_ever
from sim.routing.loading.load_path import LoadPath
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.ports import FrontendPorts
from sim.routing.settings import (
    ControlPlaneSettings,
    ControlSettings,
    HealthMonitorSettings,
    ModelConfig,
    ReconcilerSettings,
)
from sim.routing.strategies import (
    EXACT_STOPS,
    FREE_PROCESS,
    LOAD_INFO,
    MONITORING,
    PASSES,
    REAPERS,
    TURNS,
)

Loop = Callable[[], Coroutine[Any, Any, None]]
"""Starts an endless loop each time it is called."""


@dataclass(frozen=True, slots=True)
class Rank:
    """A frontend's place among all frontends."""

    index: int
    frontends: int

    def first_tick_ns(self, tick_ns: int) -> int:
        """Return when the first tick comes; the ticks of all frontends are spread evenly over `tick_ns`."""
        return tick_ns + tick_ns * self.index // self.frontends


ONLY_ONE = Rank(0, 1)


class Background:
    """Puts one frontend's loops together."""

    def __init__(
        self,
        settings: ControlSettings,
        ports: FrontendPorts,
        models: Mapping[str, ModelConfig],
        load_path: LoadPath,
        rank: Rank,
        pressure: Pressure,
    ) -> None:
        """`load_path` is the one that requests use, so that they share installs with the loops.

        `pressure` counts requests of this frontend.
        """
        self._settings = settings
        self._ports = ports
        self._models = models
        self._load_path = load_path
        self._rank = rank
        self._pressure = pressure

    def loops(self, control_plane: ControlPlaneSettings) -> Iterator[Loop]:
        """Yield the loops that the control plane asks for."""
        if control_plane.health_monitor is not None:
            monitor = self._health_monitor(control_plane.health_monitor)
            yield self._loop("health", control_plane.health_monitor.tick_ns, monitor.run_pass)
        if control_plane.reconciler is not None:
            yield self._loop("reconcile", control_plane.reconciler.tick_ns, self._reconcile(control_plane.reconciler))

    def _loop(self, name: str, tick_ns: int, run_pass: Pass) -> Loop:
        # Shorter than a tick by half the distance to the next frontend's tick: a ticker that is a little early or late
        # still keeps its turn.
        interval_ns = tick_ns - tick_ns // (2 * self._rank.frontends)
        ruled = PASSES[self._settings.passes](self._ports.registry, name, interval_ns, run_pass)
        return partial(tick_for_ever, self._ports.runtime, tick_ns, self._rank.first_tick_ns(tick_ns), ruled)

    def _health_monitor(self, settings: HealthMonitorSettings) -> HealthMonitor:
        return HealthMonitor(self._ports, settings, MONITORING[self._settings.monitor]())

    def _reconcile(self, settings: ReconcilerSettings) -> Pass:
        """Return the reconciler's pass: the numbers first, then the rows."""
        replica_pass = ReplicaPass(
            self._ports,
            self._models,
            settings,
            self._load_path,
            FREE_PROCESS[self._settings.release],
            LOAD_INFO[self._settings.load_info],
            self._pressure,
            TURNS[self._settings.scaling](self._ports, settings.stale_row_after_ns),
        )
        state_pass = StatePass(
            self._ports,
            settings,
            REAPERS[self._settings.reaper],
            EXACT_STOPS[self._settings.exact_stop],
            self._load_path.longest_load_ns,
        )

        async def run_pass() -> None:
            await replica_pass.run_pass()
            await state_pass.run_pass()

        return run_pass
