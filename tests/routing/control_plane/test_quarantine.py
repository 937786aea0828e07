"""Rows of an old revision of their model: they go together with their processes."""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from sim.routing.fleet import RowState
from sim.routing.proxy import MadeCall
from sim.routing.replica import ReplicaKey
from sim.simulated.faults.interposed import interposed_registry, interposed_worker
from tests.drivers import SECOND
from tests.routing.control_plane.state_passes import A, B, state_pass
from tests.routing.fleet_world import FleetWorld, Told, nodes


def advance_revision(world: FleetWorld, model: str = "m") -> Coroutine[Any, Any, Any]:
    """Have every row of the model be of an old revision."""
    return world.ports().registry.advance_revision(model, "new")


GONE_WITH_ITS_PROCESS = [Told("process_ended", "a#0", "", "stopped"), Told("row_removed", "a#0", "", "old_revision")]


def test_a_row_that_a_new_revision_overtakes_goes_with_its_process_at_once() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A, in_flight=1)
    world.place(ReplicaKey("b", "x", 0))
    reconciler = state_pass(world)

    async def story() -> None:
        await advance_revision(world)
        await reconciler.run_pass()

    world.run(story())

    assert world.told() == GONE_WITH_ITS_PROCESS
    assert world.keys() == ["b#0"]


def test_a_row_that_a_new_revision_overtakes_goes_though_its_process_has_gone() -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A, "a:1")
    reconciler = state_pass(world)

    async def story() -> None:
        await advance_revision(world)
        await reconciler.run_pass()

    world.run(story())

    assert world.told() == GONE_WITH_ITS_PROCESS[1:]


def test_a_worker_of_a_paused_node_leaves_an_overtaken_row_and_lets_the_pass_go_on() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A)
    world.place(B)
    world.pause("a")
    reconciler = state_pass(world)

    async def story() -> int:
        await advance_revision(world)
        started_ns = world.runtime.now_ns()
        await reconciler.run_pass()
        return world.runtime.now_ns() - started_ns

    assert world.run(story()) == 10 * SECOND
    assert world.keys() == ["a#0"]


def test_a_worker_that_does_not_answer_leaves_an_overtaken_row_to_the_next_pass() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A)
    world.place(B)
    reconciler = state_pass(world)
    left = []

    async def story() -> None:
        await advance_revision(world)
        for is_up in (False, True):
            world.workers.nodes["a"].is_up = is_up
            await reconciler.run_pass()
            left.append(world.keys())

    world.run(story())

    assert left == [["a#0"], []]
    assert [told.about for told in world.told("row_removed")] == ["b#0", "a#0"]


@pytest.mark.parametrize(
    ("address", "is_found"),
    [("127.0.0.1:7", True), ("localhost:7", True), ("[::1]:7", True), ("10.0.0.7:7", False), ("dgx-spark1:7", False)],
)
def test_by_its_loopback_address_a_worker_finds_only_processes_that_are_advertised_under_it(
    address: str, is_found: bool
) -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A, address)
    reconciler = state_pass(world, exact_stop="by_loopback")

    async def story() -> None:
        await advance_revision(world)
        await reconciler.run_pass()

    world.run(story())

    assert (world.keys() == []) == is_found


def test_a_process_that_its_worker_does_not_find_goes_on_and_its_row_stays_unloading() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    reconciler = state_pass(world, exact_stop="by_loopback")

    async def story() -> None:
        await advance_revision(world)
        for _ in range(3):
            await reconciler.run_pass()

    world.run(story())

    assert [row.state for row in world.rows()] == [RowState.UNLOADING]
    assert world.told() == []


def test_a_new_row_of_the_key_stays_when_the_overtaken_one_goes() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    ports = world.ports()

    async def around(_node: str, _name: str, call: MadeCall) -> Any:
        await ports.registry.publish(A, "a:2", 0, RowState.LOADING, "new")
        return await call()

    reconciler = state_pass(world, ports=replace(ports, worker=interposed_worker(ports.worker, around)))

    async def story() -> None:
        await advance_revision(world)
        await reconciler.run_pass()

    world.run(story())

    assert [(row.address, row.state, row.revision) for row in world.rows()] == [("a:2", RowState.LOADING, "new")]
    assert world.told("row_removed") == []


def test_at_the_first_miss_overtaken_rows_stay() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    reconciler = state_pass(world, "first_miss")

    async def story() -> None:
        await advance_revision(world)
        await reconciler.run_pass()

    world.run(story())

    assert [row.state for row in world.rows()] == [RowState.UNLOADING]
    assert world.told() == []


def test_the_quarantine_costs_no_reading_as_long_as_there_is_nothing_in_it() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    ports, asked = world.ports(), []

    async def around(name: str, call: MadeCall) -> Any:
        asked.append(name)
        return await call()

    registry = interposed_registry(ports.runtime, ports.registry, around, world.table.leak)
    reconciler = state_pass(world, ports=replace(ports, registry=registry))
    without = ["try_lock", "fleet", "fleet", "fleet"]

    async def story() -> None:
        await reconciler.run_pass()
        assert asked == without
        await advance_revision(world)
        await reconciler.run_pass()
        assert asked == [*without, *without, "fleet", "remove_row"]
        await reconciler.run_pass()
        assert asked == [*without, *without, "fleet", "remove_row", *without]

    world.run(story())
