"""In-flight counts that nobody will ever take back, and how they are cleared."""

from dataclasses import replace

import pytest

from sim.routing.control_plane.state_pass import StatePass
from sim.routing.fleet import NodeFacts
from sim.scenario.spec.engines import HealthName
from tests.routing.control_plane.state_passes import LEAKED, MINUTE, A, answer_as, run_passes, state_pass
from tests.routing.fleet_world import SERIALISING, FleetWorld, one_worker


def left_behind(in_flight: int = 2, health: HealthName = "serialized") -> FleetWorld:
    """Return a world with one replica, used at time 0, that counts requests."""
    settings = replace(SERIALISING, process=one_worker(health=health))
    world = FleetWorld([NodeFacts("a")], {"m": settings})
    world.place(A, in_flight=in_flight)
    return world


def counts_after(world: FleetWorld, reconciler: StatePass, passes: str) -> list[int]:
    """Return the row's count after each pass, made every minute after half an hour.

    Its process answers promptly (O) or too late (T), or the row is used just before the pass (U), after which the next
    one comes half an hour later.
    """

    async def story() -> list[int]:
        counts = []
        await world.runtime.sleep(LEAKED)
        for letter in passes:
            undo = answer_as(world, letter)
            await world.runtime.sleep(MINUTE)
            if letter == "U":
                await world.ports().registry.touch(A)
            await reconciler.run_pass()
            undo()
            counts += [row.in_flight for row in world.rows()]
            await world.runtime.sleep(LEAKED if letter == "U" else 0)
        return counts

    counts: list[int] = world.run(story())
    return counts


# Passes in turn: the count after each.
LEAKS: dict[str, list[int]] = {
    "OOO": [2, 0, 0],
    "TTT": [2, 2, 2],
    "OTO": [2, 2, 2],
    "OTOO": [2, 2, 2, 0],
    "OUOO": [2, 2, 2, 0],
}


@pytest.mark.parametrize(("passes", "expected"), LEAKS.items(), ids=LEAKS)
def test_two_prompt_answers_in_a_row_clear_the_count_of_a_row_unused_for_half_an_hour(
    passes: str, expected: list[int]
) -> None:
    world = left_behind()

    assert counts_after(world, state_pass(world), passes) == expected
    assert world.told() == []


def test_exactly_half_an_hour_is_not_enough() -> None:
    world = left_behind()
    reconciler = state_pass(world)

    run_passes(world, *[reconciler] * 2, every_ns=LEAKED // 2)

    assert [row.in_flight for row in world.rows()] == [2]


def test_the_time_since_the_last_use_is_told_by_the_wall_clock_of_the_frontend() -> None:
    world = left_behind()
    reconciler = state_pass(world, ports=world.ports(clock_ahead_ns=LEAKED))

    run_passes(world, *[reconciler] * 2, every_ns=1)

    assert [row.in_flight for row in world.rows()] == [0]


def test_at_the_first_miss_no_count_is_ever_cleared() -> None:
    world = left_behind()

    assert counts_after(world, state_pass(world, "first_miss"), "OOOO") == [2, 2, 2, 2]


@pytest.mark.parametrize(("health", "expected"), [("serialized", [1, 1, 1]), ("independent", [1, 0, 0])])
def test_an_hour_long_request_keeps_its_count_only_where_health_calls_wait_behind_it(
    health: HealthName, expected: list[int]
) -> None:
    world = left_behind(in_flight=1, health=health)
    reconciler = state_pass(world)

    async def story() -> list[int]:
        world.keep_busy(A, 60 * MINUTE)
        counts = []
        await world.runtime.sleep(LEAKED)
        for _ in range(3):
            await world.runtime.sleep(MINUTE)
            await reconciler.run_pass()
            counts += [row.in_flight for row in world.rows()]
        return counts

    assert world.run(story()) == expected
