"""What simultaneous picks make of idle replicas, in each mode, and what a waiter does when its row goes."""

import pytest

from sim.routing.replica import Replica, ReplicaKey
from sim.simulated.fifo_queue import FifoQueue
from sim.simulated.pick_modes import LockedPick, PickMode, ReadCommittedPick, SerialPick
from sim.simulated.replica_table import NodeRow, ReplicaTable
from sim.simulated.runtime import SimulatedRuntime

FAR_NS = 10**18
MS = 1_000_000
TRANSACTION_NS = 2 * MS


class Registry:
    """A table of idle replicas, one on each node, and the picks made on it."""

    def __init__(self, mode: str, replicas: int, transaction_ns: int = TRANSACTION_NS) -> None:
        self.runtime = SimulatedRuntime()
        self.waits_ns: list[int] = []
        self.picked: list[Replica | None] = []
        nodes = [NodeRow(f"n{i}", 1, 0, FifoQueue(self.runtime, 1)) for i in range(replicas)]
        self.table = ReplicaTable(self.runtime, nodes)
        for node in nodes:
            self.table.insert(ReplicaKey(node.name, "m", 0), f"{node.name}:1", 0, FifoQueue(self.runtime, 1))
        self.mode = self._mode(mode, transaction_ns)

    def pick_at(self, *times_ns: int, model: str = "m") -> None:
        """Pick at each of these times."""

        async def pick(at_ns: int) -> None:
            await self.runtime.sleep(at_ns)
            self.picked.append(await self.mode.pick(model))

        for at_ns in times_ns:
            self.runtime.spawn(pick(at_ns), "pick")

    def in_flight(self) -> list[int]:
        """Return the counts, by node."""
        return [row.in_flight for row in self.table.rows.values()]

    def _mode(self, mode: str, transaction_ns: int) -> PickMode:
        if mode == "serial" or not transaction_ns:
            return SerialPick(self.runtime, self.table, transaction_ns)
        read_committed = ReadCommittedPick(self.runtime, self.table, transaction_ns, self.waits_ns.append)
        if mode == "read_committed":
            return read_committed
        return LockedPick(self.runtime, read_committed, self.waits_ns.append)


@pytest.mark.parametrize(
    ("mode", "replicas", "picks", "expected"),
    [
        ("serial", 4, 32, [8, 8, 8, 8]),
        ("locked", 4, 32, [8, 8, 8, 8]),
        ("read_committed", 4, 32, [32, 0, 0, 0]),
        ("read_committed", 2, 8, [8, 0]),
        ("read_committed", 3, 8, [8, 0, 0]),
    ],
)
def test_simultaneous_picks_fall_as_the_mode_has_it(mode: str, replicas: int, picks: int, expected: list[int]) -> None:
    registry = Registry(mode, replicas)

    registry.pick_at(*[0] * picks)
    registry.runtime.run_tasks(FAR_NS)

    assert registry.in_flight() == expected


@pytest.mark.parametrize("mode", ["serial", "locked", "read_committed"])
def test_transactions_that_take_no_time_cannot_overlap_and_so_spread(mode: str) -> None:
    registry = Registry(mode, 4, transaction_ns=0)

    registry.pick_at(*[0] * 32)
    registry.runtime.run_tasks(FAR_NS)

    assert registry.in_flight() == [8, 8, 8, 8]


@pytest.mark.parametrize("mode", ["serial", "locked", "read_committed"])
def test_picks_one_after_the_other_rotate(mode: str) -> None:
    registry = Registry(mode, 3)

    registry.pick_at(*[n * 10 * MS for n in range(6)])
    registry.runtime.run_tasks(FAR_NS)

    assert [str(row.key) for row in registry.picked if row] == ["n0#0", "n1#0", "n2#0"] * 2


def test_waiters_hold_the_row_one_after_the_other_for_a_transaction_each() -> None:
    registry = Registry("read_committed", 2)

    registry.pick_at(0, 0, 0)
    registry.runtime.run_tasks(FAR_NS)

    assert registry.waits_ns == [TRANSACTION_NS, 2 * TRANSACTION_NS]


def test_a_waiter_whose_row_is_deleted_goes_on_in_its_old_order() -> None:
    registry = Registry("read_committed", 3)

    async def delete_first() -> None:
        await registry.runtime.sleep(MS)
        registry.table.delete(ReplicaKey("n0", "m", 0))

    registry.pick_at(0, 0)
    registry.runtime.spawn(delete_first(), "delete")
    registry.runtime.run_tasks(FAR_NS)

    assert [str(row.key) for row in registry.picked if row] == ["n0#0", "n1#0"]


def test_a_waiter_left_with_no_row_finds_nothing() -> None:
    registry = Registry("read_committed", 1)

    async def delete_first() -> None:
        await registry.runtime.sleep(MS)
        registry.table.delete(ReplicaKey("n0", "m", 0))

    registry.pick_at(0, 0)
    registry.runtime.spawn(delete_first(), "delete")
    registry.runtime.run_tasks(FAR_NS)

    assert registry.picked[1] is None


def test_a_pick_of_another_model_on_the_same_node_waits_for_the_open_one() -> None:
    registry = Registry("read_committed", 1)
    registry.table.insert(ReplicaKey("n0", "other", 0), "n0:2", 0, FifoQueue(registry.runtime, 1))

    registry.pick_at(0)
    registry.pick_at(MS, model="other")
    registry.runtime.run_tasks(FAR_NS)

    assert registry.waits_ns == [TRANSACTION_NS - MS]
