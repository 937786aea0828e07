"""The state pass as a whole: one frontend at a time, and registries that fail."""

import pytest

from sim.routing.control_plane.state_pass import LOCK
from sim.routing.settings import ReaperName
from tests.routing.control_plane.failing_registry import failing_once
from tests.routing.control_plane.state_passes import EACH_REAPER, LEAKED, STALE, A, B, run_passes, state_pass
from tests.routing.fleet_world import FleetWorld, nodes


@EACH_REAPER
def test_there_is_no_pass_while_another_frontend_makes_one(reaper: ReaperName) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    reconciler = state_pass(world, reaper)

    async def story() -> list[int]:
        await world.runtime.sleep(STALE + 1)
        async with world.ports().registry.lock(LOCK):
            await reconciler.run_pass()
        updated_ns = [row.updated_ns for row in world.rows()]
        await reconciler.run_pass()
        return updated_ns + [row.updated_ns for row in world.rows()]

    assert world.run(story()) == [0, STALE + 1]


@pytest.mark.parametrize("failing", ["try_lock", "fleet", "confirm_row", "remove_row", "clear_in_flight"])
def test_a_registry_that_fails_ends_the_pass_and_the_next_ones_make_up_for_it(failing: str) -> None:
    world = FleetWorld(nodes("a", "b"))
    world.write_row(A, "a:1")
    world.place(B, in_flight=1)

    run_passes(world, *[state_pass(world, ports=failing_once(world, failing))] * 4, every_ns=LEAKED + 1)

    assert [(str(row.key), row.in_flight, row.updated_ns) for row in world.rows()] == [("b#0", 0, 4 * (LEAKED + 1))]


@EACH_REAPER
def test_a_row_that_is_deleted_leaves_its_process_as_it_is(reaper: ReaperName) -> None:
    world = FleetWorld(nodes("a"))
    process = world.start(A)
    world.write_row(A, "a:1")

    run_passes(world, *[state_pass(world, reaper)] * 3, every_ns=STALE + 1)

    assert world.rows() == []
    assert world.process(A) is process
