"""When background passes come, and which of several frontends makes them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sim.routing.control_plane.ticker import once_per_tick, tick_for_ever
from sim.routing.errors import Unavailable
from sim.routing.settings import PassRuleName
from sim.routing.strategies import PASSES
from sim.simulated.faults.interposed import interposed_registry
from tests.drivers import SECOND
from tests.routing.control_plane.monitors import A0, monitor_in
from tests.routing.fleet_world import FleetWorld, nodes

# How long each pass lasts, in seconds: when the passes of the first 70 s begin, with ticks at 5, 20, 35, 50 and 65 s.
PASS_LENGTHS: dict[int, list[int]] = {
    0: [5, 20, 35, 50, 65],
    14: [5, 20, 35, 50, 65],
    15: [5, 20, 35, 50, 65],
    16: [5, 35, 65],
    29: [5, 35, 65],
    31: [5, 50],
}


@pytest.mark.parametrize("length_s", PASS_LENGTHS)
def test_ticks_that_fall_into_a_pass_are_dropped(length_s: int) -> None:
    world = FleetWorld([])
    began_ns: list[int] = []

    async def run_pass() -> None:
        began_ns.append(world.runtime.now_ns())
        await world.runtime.sleep(length_s * SECOND)

    world.runtime.spawn_background(tick_for_ever(world.runtime, 15 * SECOND, 5 * SECOND, run_pass), "ticker")
    world.run(world.runtime.sleep(70 * SECOND))

    assert [ns // SECOND for ns in began_ns] == PASS_LENGTHS[length_s]


def passes_of_three_frontends(rule: PassRuleName, world: FleetWorld) -> list[float]:
    """Return when the monitors of three frontends, whose ticks are 5 s apart, begin passes in the first 45 s."""
    began_s: list[float] = []

    def start(first_ns: int) -> None:
        ports = world.ports()
        monitor = monitor_in(world, ports=ports)

        async def run_pass() -> None:
            began_s.append(world.runtime.now_ns() / SECOND)
            await monitor.run_pass()

        ruled = PASSES[rule](ports.registry, "health", 15 * SECOND, run_pass)
        world.runtime.spawn_background(tick_for_ever(world.runtime, 15 * SECOND, first_ns, ruled), "ticker")

    for frontend in range(3):
        start(frontend * 5 * SECOND)
    world.run(world.runtime.sleep(45 * SECOND - 1))
    return began_s


@pytest.mark.parametrize(
    ("rule", "began_s"),
    [("every_frontend", [0, 5, 10, 15, 20, 25, 30, 35, 40]), ("once_per_tick", [0, 15, 30])],
    ids=["every frontend", "once per tick"],
)
def test_three_frontends_make_three_passes_a_tick_unless_one_claims_it(
    rule: PassRuleName, began_s: list[float]
) -> None:
    world = FleetWorld(nodes("a"))

    assert passes_of_three_frontends(rule, world) == began_s


@pytest.mark.parametrize("rule", PASSES)
def test_three_frontends_reap_no_sooner_than_one_for_the_misses_must_be_one_frontends_own(rule: PassRuleName) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A0)
    world.kill(A0)

    passes_of_three_frontends(rule, world)

    assert world.times_s("row_removed") == [30]


def test_nobody_makes_a_pass_that_the_registry_cannot_give_away() -> None:
    world = FleetWorld([])
    ports = world.ports()
    made: list[str] = []
    failures = [Unavailable("down")]

    async def around(_name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if failures:
            raise failures.pop()
        return await call()

    async def run_pass() -> None:
        made.append("pass")

    registry = interposed_registry(ports.runtime, ports.registry, around, world.table.leak)
    claimed = once_per_tick(registry, "health", 15 * SECOND, run_pass)

    async def story() -> list[int]:
        counts = []
        for _ in range(2):
            await claimed()
            counts.append(len(made))
        return counts

    assert world.run(story()) == [0, 1]
