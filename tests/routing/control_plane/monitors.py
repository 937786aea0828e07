"""Health monitors of frontends, and processes that answer, hang or refuse."""

from collections.abc import Callable

import pytest

from sim.routing.control_plane.health_monitor import HealthMonitor
from sim.routing.control_plane.monitoring import EveryMiss, Monitoring
from sim.routing.control_plane.ticker import tick_for_ever
from sim.routing.fleet import NodeStatus
from sim.routing.ports import FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.strategies import MONITORING
from sim.scenario.spec.control_plane import HealthMonitorSpec
from tests.drivers import SECOND
from tests.routing.fleet_world import MODEL, FleetWorld

A0, A1, B0 = ReplicaKey("a", MODEL, 0), ReplicaKey("a", MODEL, 1), ReplicaKey("b", MODEL, 0)

HEALTHY, UNHEALTHY, OFFLINE = NodeStatus.HEALTHY, NodeStatus.UNHEALTHY, NodeStatus.OFFLINE

EACH_WAY = pytest.mark.parametrize("monitoring", MONITORING.values(), ids=MONITORING)

DEFAULTS = HealthMonitorSpec().settings()

NewMonitoring = Callable[[], Monitoring]


def monitor_in(
    world: FleetWorld,
    monitoring: NewMonitoring = EveryMiss,
    ports: FrontendPorts | None = None,
) -> HealthMonitor:
    return HealthMonitor(ports or world.ports(), DEFAULTS, monitoring())


async def passes(monitor: HealthMonitor, count: int) -> None:
    for _ in range(count):
        await monitor.run_pass()


def tick(world: FleetWorld, monitor: HealthMonitor) -> None:
    """Have the monitor make its passes every 15 s, the first after 15 s."""
    world.runtime.spawn_background(
        tick_for_ever(world.runtime, DEFAULTS.tick_ns, DEFAULTS.tick_ns, monitor.run_pass), "ticker"
    )


LATE = 60 * SECOND + 1
