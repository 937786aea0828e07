"""Rows whose load must have ended long ago, as its frontend crashed: they go together with their processes."""

import pytest

from sim.routing.fleet import RowState
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ReaperName
from tests.routing.control_plane.state_passes import LONGEST_LOADS, STALE, A, run_passes, state_pass
from tests.routing.fleet_world import FleetWorld, Told, nodes

REAPER: ReaperName = "worker_first"

ABANDONED_NS = LONGEST_LOADS["m"] + STALE
"""Age of a row of model m that is as old as a row may be which somebody loads."""

OF_X = ReplicaKey("b", "x", 0)


@pytest.mark.parametrize("state", [RowState.STAGING, RowState.LOADING])
@pytest.mark.parametrize(("age_ns", "left"), [(ABANDONED_NS, ["a#0"]), (ABANDONED_NS + 1, [])])
def test_a_row_goes_once_it_is_stale_by_more_than_the_longest_load(
    state: RowState, age_ns: int, left: list[str]
) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A, state=state)

    run_passes(world, state_pass(world, REAPER), every_ns=age_ns)

    assert world.keys() == left
    gone = [Told("process_ended", "a#0", "", "stopped"), Told("row_removed", "a#0", "", "abandoned_load")]
    assert world.told() == ([] if left else gone)


def test_each_model_has_a_longest_load_of_its_own() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A, state=RowState.LOADING)
    world.place(OF_X, state=RowState.LOADING)

    run_passes(world, state_pass(world, REAPER), every_ns=ABANDONED_NS + 1)

    assert world.keys() == ["b#0"]


def test_a_worker_that_does_not_answer_leaves_the_row_to_the_next_pass() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A, state=RowState.LOADING)
    reconciler = state_pass(world, REAPER)
    left = []

    async def story() -> None:
        await world.runtime.sleep(ABANDONED_NS + 1)
        for is_up in (False, True):
            world.workers.nodes["a"].is_up = is_up
            await reconciler.run_pass()
            left.append(world.keys())

    world.run(story())

    assert left == [["a#0"], []]


def test_without_the_repair_the_row_stays() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A, state=RowState.LOADING)

    run_passes(world, state_pass(world, "third_miss"), every_ns=2 * ABANDONED_NS)

    assert world.keys() == ["a#0"]
