"""Streaks: findings count only if they follow one another, for the same row, on one frontend."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.control_plane.streaks import Streaks
from tests.drivers import SECOND
from tests.routing.control_plane.state_passes import REMOVED_BY_PROBE, STALE, A, run_passes, silence, state_pass
from tests.routing.fleet_world import FleetWorld, nodes

# For each pass, what is found of each row: again, not, or that the row is no candidate.
histories = st.lists(st.lists(st.sampled_from(["again", "not", "absent"]), min_size=3, max_size=3), max_size=6)


@given(histories)
def test_a_streak_is_as_long_as_the_passes_in_a_row_that_found_it(history: list[list[str]]) -> None:
    streaks: Streaks[int] = Streaks()
    lengths = [0] * 3
    for found in history:
        streaks.keep_only(number for number, finding in enumerate(found) if finding != "absent")
        for number, finding in enumerate(found):
            lengths[number] = lengths[number] + 1 if finding == "again" else 0
            if finding == "again":
                assert streaks.extend(number) == lengths[number]
            if finding == "not":
                streaks.end(number)


def test_a_row_that_is_not_stale_in_between_begins_anew() -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A, "a:1")
    silence(world, "a")
    reconciler = state_pass(world)

    async def story() -> list[int]:
        left = []
        for is_used in (False, False, True, False, False, False):
            await world.runtime.sleep(STALE + 1)
            if is_used:
                await world.ports().registry.touch(A)
            await reconciler.run_pass()
            left.append(len(world.rows()))
        return left

    assert world.run(story()) == [1, 1, 1, 1, 1, 0]


def test_a_new_row_of_the_same_replica_begins_anew() -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A, "a:1")
    silence(world, "a")
    reconciler = state_pass(world)

    async def story() -> list[int]:
        left = []
        for is_new in (False, False, True, False, False):
            await world.runtime.sleep(STALE + 1)
            if is_new:
                world.write_row(A, "a:1")
            await reconciler.run_pass()
            left.append(len(world.rows()))
        return left

    assert world.run(story()) == [1, 1, 1, 1, 0]


def test_frontends_do_not_count_for_one_another() -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A, "a:1")
    silence(world, "a")
    one, other = state_pass(world), state_pass(world)

    run_passes(world, one, other, one, other, one, every_ns=STALE + 1)

    assert world.told("row_removed") == [REMOVED_BY_PROBE]
    assert world.times_s("row_removed") == pytest.approx([5 * 120])


def test_a_row_that_goes_while_it_is_looked_at_is_not_told_of_twice() -> None:
    world = FleetWorld(nodes("a"), transaction_ns=SECOND)
    world.write_row(A, "a:1")
    reconciler = state_pass(world, "first_miss")

    async def story() -> None:
        await world.runtime.sleep(STALE + 1)
        world.runtime.spawn(reconciler.run_pass(), "pass")
        await world.runtime.sleep(2 * SECOND + 1)  # the lock is taken and the fleet read
        world.table.delete(A)

    world.run(story())

    assert world.told() == []
