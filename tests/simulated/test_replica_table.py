"""Rows, counts and how far they drift from the requests that hold a place."""

from sim.routing.replica import ReplicaKey
from sim.simulated.fifo_queue import FifoQueue
from sim.simulated.replica_table import NodeRow, ReplicaTable
from sim.simulated.runtime import SimulatedRuntime

KEY = ReplicaKey("n0", "m", 0)
FAR_NS = 10**18


def a_table(runtime: SimulatedRuntime, slots: int = 1) -> ReplicaTable:
    return ReplicaTable(runtime, [NodeRow("n0", slots, 64, FifoQueue(runtime, 1))])


def publish(table: ReplicaTable, runtime: SimulatedRuntime, in_flight: int = 0) -> None:
    table.insert(KEY, "n0:1", in_flight, FifoQueue(runtime, 1))


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


def test_placement_sees_free_slots_used_indexes_and_load_by_node() -> None:
    runtime = SimulatedRuntime()
    table = a_table(runtime, slots=3)
    publish(table, runtime, in_flight=4)
    table.insert(ReplicaKey("n0", "other", 0), "n0:2", 1, FifoQueue(runtime, 1))

    (view,) = table.node_views("m")

    assert (view.free_slots, view.used_indexes, view.loaded_rows, view.in_flight) == (2, (0,), 2, 5)
    assert view.available_vram_bytes == 64


def test_vram_reported_by_a_node_reaches_its_rows() -> None:
    runtime = SimulatedRuntime()
    table = a_table(runtime)
    publish(table, runtime)

    table.report_vram("n0", 7)

    assert table.rows[KEY].available_vram_bytes == 7
