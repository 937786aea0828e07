"""The monitor's pass as a whole: one frontend at a time, its length, and registries that fail."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from sim.routing.control_plane.health_monitor import LOCK
from sim.routing.errors import Unavailable
from sim.routing.fleet import NodeStatus
from sim.routing.replica import ReplicaKey
from sim.simulated.faults.interposed import interposed_registry
from tests.drivers import SECOND
from tests.routing.control_plane.monitors import A0, HEALTHY, LATE, OFFLINE, UNHEALTHY, monitor_in, passes
from tests.routing.fleet_world import MODEL, FleetWorld, nodes


def test_a_pass_is_skipped_while_another_frontends_is_under_way() -> None:
    world = FleetWorld(nodes("a"))
    monitor, elsewhere = monitor_in(world), world.ports().registry

    async def story() -> list[NodeStatus]:
        await world.runtime.sleep(LATE)
        async with elsewhere.try_lock(LOCK):
            await monitor.run_pass()
            skipped = world.node("a").status
        await monitor.run_pass()
        return [skipped, world.node("a").status]

    assert world.run(story()) == [HEALTHY, OFFLINE]


@pytest.mark.parametrize("method", ["try_lock", "fleet", "set_status", "remove_row"])
def test_a_registry_that_fails_ends_the_pass_quietly_and_the_next_one_tries_again(method: str) -> None:
    world = FleetWorld(nodes("a", "b"), transaction_ns=1)
    world.place(A0)
    world.kill(A0)
    failures = [Unavailable("down")]
    ports = world.ports()

    async def around(name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if name == method and failures:
            raise failures.pop()
        return await call()

    registry = interposed_registry(ports.runtime, ports.registry, around, world.table.leak)
    monitor = monitor_in(world, ports=replace(ports, registry=registry))

    async def story() -> None:
        world.set_status("b", UNHEALTHY)
        await passes(monitor, 4)

    world.run(story())

    # One pass of four was cut short: the third miss came all the same, and b was taken back.
    assert not failures
    assert world.keys() == []
    assert world.node("b").status is HEALTHY
    assert world.database.lock(LOCK).is_free()


@pytest.mark.parametrize("hung", [0, 1, 3, 4])
def test_probes_follow_one_another_so_each_process_that_hangs_makes_the_pass_longer(hung: int) -> None:
    world = FleetWorld(nodes("a"))
    for index in range(4):
        world.place(ReplicaKey("a", MODEL, index))
    for index in range(hung):
        world.hang(ReplicaKey("a", MODEL, index))

    async def story() -> int:
        await monitor_in(world).run_pass()
        return world.runtime.now_ns()

    assert world.run(story()) == hung * 5 * SECOND
