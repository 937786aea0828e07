"""Rows, counts and how far they drift from the requests that hold a place."""

import pytest

from sim.routing.fleet import STATUS_HEEDED, STATUS_IGNORED, NodeFacts, NodeRule, NodeStatus, RowState
from sim.routing.replica import ReplicaKey
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import registered
from tests.routing.fleet_world import FleetWorld

KEY = ReplicaKey("n0", "m", 0)
FAR_NS = 10**18


def a_table(runtime: SimulatedRuntime, rule: NodeRule = STATUS_HEEDED) -> ReplicaTable:
    facts = NodeFacts("n0", slots=1, total_vram_bytes=64)
    return ReplicaTable(runtime, [registered(facts, FifoQueue(runtime, 1), runtime.wall_ns())], rule)


def publish(
    table: ReplicaTable, runtime: SimulatedRuntime, in_flight: int = 0, state: RowState = RowState.LOADED
) -> None:
    table.insert(KEY, "n0:1", in_flight, FifoQueue(runtime, 1), runtime.wall_ns(), state)


def test_counts_that_follow_their_holders_do_not_drift() -> None:
    runtime = SimulatedRuntime()
    table = a_table(runtime)
    publish(table, runtime)

    table.rows[KEY].in_flight += 2
    table.decrement(KEY, 1)
    runtime._now = 1000

    assert (table.total_in_flight(), table.floor_hits, table.drift_ns()) == (1, 0, 0)


def test_a_row_published_under_running_requests_drifts_until_they_end() -> None:
    runtime = SimulatedRuntime()
    table = a_table(runtime)
    publish(table, runtime, in_flight=2)

    table.delete(KEY)
    runtime._now = 100  # no row, so no count that could be wrong
    publish(table, runtime)
    runtime._now = 110
    table.decrement(KEY, 1)
    runtime._now = 120
    table.decrement(KEY, 1)
    runtime._now = 999

    assert table.drift_ns() == 2 * 10 + 1 * 10
    assert table.floor_hits == 2
    assert table.total_in_flight() == 0


def test_a_decrement_of_a_row_that_has_gone_hits_no_floor() -> None:
    runtime = SimulatedRuntime()
    table = a_table(runtime)

    table.decrement(KEY, 1)

    assert table.floor_hits == 0


@pytest.mark.parametrize("state", RowState)
def test_only_loaded_rows_may_be_picked(state: RowState) -> None:
    runtime = SimulatedRuntime()
    table = a_table(runtime)

    publish(table, runtime, state=state)

    assert [row.key for row in table.pickable.get("m", ())] == ([KEY] if state is RowState.LOADED else [])


@pytest.mark.parametrize(
    ("status", "there", "pickable"),
    [
        (NodeStatus.REGISTERING, 1, 0),
        (NodeStatus.PENDING, 1, 0),
        (NodeStatus.HEALTHY, 1, 1),
        (NodeStatus.UNHEALTHY, 1, 0),
        (NodeStatus.OFFLINE, 0, 0),
        (NodeStatus.DRAINING, 0, 0),
    ],
)
def test_a_nodes_status_decides_over_its_rows(status: NodeStatus, there: int, pickable: int) -> None:
    runtime = SimulatedRuntime()
    table = a_table(runtime)
    publish(table, runtime)

    removed = table.set_status("n0", status)

    assert (len(table.rows), len(removed), len(table.pickable.get("m", ()))) == (there, 1 - there, pickable)


@pytest.mark.parametrize(("status", "pickable"), [(NodeStatus.DRAINING, 1), (NodeStatus.OFFLINE, 0)])
def test_where_the_status_is_ignored_a_drained_node_keeps_its_rows_and_serves(
    status: NodeStatus, pickable: int
) -> None:
    runtime = SimulatedRuntime()
    table = a_table(runtime, STATUS_IGNORED)
    publish(table, runtime)

    table.set_status("n0", status)

    assert len(table.pickable.get("m", ())) == pickable


def test_vram_reported_by_a_node_reaches_its_rows_and_takes_the_place_of_what_was_reserved() -> None:
    runtime = SimulatedRuntime()
    table = a_table(runtime)
    publish(table, runtime)

    table.nodes["n0"].reserved_vram_bytes = 3

    table.report_vram("n0", 7)

    assert table.rows[KEY].available_vram_bytes == 7
    assert table.nodes["n0"].as_read().unreserved_vram_bytes == 7


def test_of_two_rows_of_a_replica_an_eviction_deletes_the_chosen_one() -> None:
    world = FleetWorld([NodeFacts("n0")])
    first = world.place(KEY)
    world.table.duplicate(KEY, FifoQueue(world.runtime, 1))

    evicted = world.run(world.ports().registry.evict(lambda fleet: fleet.rows[0]))

    assert evicted == first
    assert [row.id for row in world.rows()] == ["row-000002"]
