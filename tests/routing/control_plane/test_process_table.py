"""Stale rows held against the process tables of the workers."""

from dataclasses import replace
from typing import Any

import pytest

from sim.routing.proxy import MadeCall
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ReaperName
from sim.simulated.faults.interposed import interposed_worker
from tests.drivers import SECOND
from tests.routing.control_plane.state_passes import MINUTE, STALE, A, B, run_passes, silence, state_pass
from tests.routing.fleet_world import FleetWorld, Told, nodes

REMOVED_BY_TABLE = Told("row_removed", "a#0", "", "not_in_process_table")


def test_a_row_whose_process_is_listed_is_confirmed_though_the_process_is_busy() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.hang(A)

    run_passes(world, state_pass(world), every_ns=STALE + 1)

    assert [row.updated_ns for row in world.rows()] == [STALE + 1]


def test_a_row_that_is_not_stale_yet_is_left_alone() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    reconciler = state_pass(world)

    run_passes(world, reconciler, every_ns=STALE)

    assert [row.updated_ns for row in world.rows()] == [0]


def test_a_rows_age_is_told_by_the_wall_clock_of_the_frontend() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)

    run_passes(world, state_pass(world, ports=world.ports(clock_ahead_ns=STALE)), every_ns=1)

    assert [row.updated_ns for row in world.rows()] == [STALE + 1]


@pytest.mark.parametrize(("passes", "expected"), [(1, []), (2, [REMOVED_BY_TABLE])])
def test_a_row_whose_process_has_gone_is_deleted_when_a_second_table_in_a_row_does_not_list_it(
    passes: int, expected: list[Told]
) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.kill(A)

    run_passes(world, *[state_pass(world)] * passes, every_ns=STALE + 1)

    assert world.told("row_removed") == expected


# id: (the row's key and address; the process a#0 runs at a:50051)
NOT_LISTED: dict[str, tuple[ReplicaKey, str]] = {
    "another address": (A, "a:50052"),
    "another replica's address": (ReplicaKey("a", "m", 1), "a:50051"),
    "another model's address": (ReplicaKey("a", "x", 0), "a:50051"),
}


@pytest.mark.parametrize(("key", "address"), NOT_LISTED.values(), ids=NOT_LISTED)
def test_only_key_and_address_together_confirm_a_row(key: ReplicaKey, address: str) -> None:
    world = FleetWorld(nodes("a"))
    assert world.start(A).address == "a:50051"
    world.hang(A)  # or it would answer the probe that comes next
    world.write_row(key, address)

    run_passes(world, *[state_pass(world)] * 2, every_ns=STALE + 1)

    assert world.told("row_removed") == [Told("row_removed", str(key), "", "not_in_process_table")]


def test_at_localais_tick_a_row_that_no_table_lists_stays_as_long_as_any_process_answers_at_its_address() -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(ReplicaKey("a", "x", 0), world.start(A).address)

    run_passes(world, *[state_pass(world)] * 20, every_ns=30 * SECOND)

    # The answer makes the row fresh for the next four passes, which ends the streak of tables that do not list it.
    assert [row.updated_ns for row in world.rows()] == [10 * MINUTE]


def test_a_table_that_lists_the_row_again_ends_the_streak() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.hang(A)
    processes = world.workers.nodes["a"].processes
    reconciler = state_pass(world)

    async def story() -> None:
        for is_listed in (False, True, False):
            hidden = {} if is_listed else {A: processes.pop(A)}
            await world.runtime.sleep(STALE + 1)
            await reconciler.run_pass()
            processes.update(hidden)

    world.run(story())

    assert world.keys() == ["a#0"]


def test_a_worker_that_does_not_answer_neither_confirms_a_row_nor_counts_against_it() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.hang(A)
    silence(world, "a")

    run_passes(world, *[state_pass(world)] * 9, every_ns=STALE + 1)

    assert [row.updated_ns for row in world.rows()] == [0]


def test_a_worker_of_a_paused_node_holds_a_pass_up_for_its_limit_only() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A)
    world.hang(A)
    world.pause("a")
    world.place(B)
    reconciler = state_pass(world)

    async def story() -> int:
        await world.runtime.sleep(STALE + 1)
        started_ns = world.runtime.now_ns()
        await reconciler.run_pass()
        return world.runtime.now_ns() - started_ns

    took_ns = world.run(story())

    # Then a probe of the row that is left, which takes as long as it may too.
    assert took_ns == 10 * SECOND + 1 * SECOND
    assert [row.updated_ns for row in world.rows()] == [0, STALE + 1 + 10 * SECOND]


def test_a_worker_that_does_not_answer_leaves_the_streak_of_its_rows_as_it_is() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.kill(A)
    reconciler = state_pass(world)

    async def story() -> list[int]:
        left = []
        for is_up in (True, False, True):
            world.workers.nodes["a"].is_up = is_up
            await world.runtime.sleep(STALE + 1)
            await reconciler.run_pass()
            left.append(len(world.rows()))
        return left

    assert world.run(story()) == [1, 1, 0]
    assert world.told("row_removed") == [REMOVED_BY_TABLE]


def test_each_worker_with_stale_rows_is_asked_once_by_node() -> None:
    world = FleetWorld(nodes("c", "b", "a", "d", slots=2))
    for key in (ReplicaKey("c", "m", 0), B, ReplicaKey("c", "m", 1)):
        world.place(key)
    world.place(A, updated_ns=STALE)
    asked = []

    async def around(node: str, name: str, call: MadeCall) -> Any:
        asked.append((node, name))
        return await call()

    ports = world.ports()
    reconciler = state_pass(world, ports=replace(ports, worker=interposed_worker(ports.worker, around)))
    run_passes(world, reconciler, every_ns=STALE + 1)

    assert asked == [("b", "processes"), ("c", "processes")]


@pytest.mark.parametrize(("reaper", "expected"), [("third_miss", []), ("worker_first", [REMOVED_BY_TABLE])])
def test_a_process_at_anothers_port_confirms_its_row_unless_the_worker_is_asked_first(
    reaper: ReaperName, expected: list[Told]
) -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A, world.start(ReplicaKey("a", "x", 0)).address)

    # The row is stale in the second pass, and in the third one if the second did not confirm it.
    run_passes(world, *[state_pass(world, reaper)] * 3, every_ns=STALE - 30 * SECOND)

    assert world.told("row_removed") == expected
