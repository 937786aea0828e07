"""What simultaneous picks make of idle replicas, in each mode, and what a waiter does when its row goes."""

from collections.abc import Collection, Sequence

import pytest

from sim.routing.fleet import NodeFacts, NodeStatus, RowState
from sim.routing.policies.best_replica import ChooseBest
from sim.routing.policies.choose import AnyReplica, Choose
from sim.routing.replica import Replica, ReplicaKey
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.registry.database import SimulatedDatabase
from sim.simulated.registry.pick_modes import PickModeName, hold_for, new_pick_mode
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import registered
from tests.choices import BEST, Prefer

FAR_NS = 10**18
MS = 1_000_000
TRANSACTION_NS = 2 * MS


class Registry:
    """A table of idle replicas, one on each node, and the picks made on it."""

    def __init__(self, mode: PickModeName, replicas: int, transaction_ns: int = TRANSACTION_NS) -> None:
        self.runtime = SimulatedRuntime()
        self.waits_ns: list[int] = []
        self.picked: list[Replica | None] = []
        nodes = [NodeFacts(f"n{i}") for i in range(replicas)]
        self.table = ReplicaTable(self.runtime, [registered(facts, self._lock(), 0) for facts in nodes])
        for facts in nodes:
            self.put(ReplicaKey(facts.name, "m", 0))
        database = SimulatedDatabase(self.runtime, self.table, transaction_ns)
        self.mode = new_pick_mode(mode, database, hold_for(self.runtime, transaction_ns), self.waits_ns.append)

    def put(self, key: ReplicaKey, in_flight: int = 0) -> None:
        """Write a loaded row."""
        self.table.insert(key, f"{key.node}:1", in_flight, self._lock(), self.runtime.wall_ns(), RowState.LOADED)

    def pick_at(
        self,
        *times_ns: int,
        model: str = "m",
        choose: Choose = BEST,
    ) -> None:
        """Pick at each of these times."""

        async def pick(at_ns: int) -> None:
            await self.runtime.sleep(at_ns)
            self.picked.append(await self.mode.pick(model, choose, self.runtime))

        for at_ns in times_ns:
            self.runtime.spawn(pick(at_ns), "pick")

    def in_flight(self) -> list[int]:
        """Return the counts, by node."""
        return [row.in_flight for row in self.table.rows.values()]

    def keys(self) -> list[str]:
        """Return which replicas were picked, in order."""
        return [str(row.key) for row in self.picked if row]

    def _lock(self) -> FifoQueue:
        return FifoQueue(self.runtime, 1)


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
def test_simultaneous_picks_fall_as_the_mode_has_it(
    mode: PickModeName, replicas: int, picks: int, expected: list[int]
) -> None:
    registry = Registry(mode, replicas)

    registry.pick_at(*[0] * picks)
    registry.runtime.run_tasks(FAR_NS)

    assert registry.in_flight() == expected


@pytest.mark.parametrize("mode", ["serial", "locked", "read_committed"])
def test_transactions_that_take_no_time_cannot_overlap_and_so_spread(mode: PickModeName) -> None:
    registry = Registry(mode, 4, transaction_ns=0)

    registry.pick_at(*[0] * 32)
    registry.runtime.run_tasks(FAR_NS)

    assert registry.in_flight() == [8, 8, 8, 8]


@pytest.mark.parametrize("mode", ["serial", "locked", "read_committed"])
def test_picks_one_after_the_other_rotate(mode: PickModeName) -> None:
    registry = Registry(mode, 3)

    registry.pick_at(*[n * 10 * MS for n in range(6)])
    registry.runtime.run_tasks(FAR_NS)

    assert registry.keys() == ["n0#0", "n1#0", "n2#0"] * 2


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

    assert registry.keys() == ["n0#0", "n1#0"]


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
    registry.put(ReplicaKey("n0", "other", 0))

    registry.pick_at(0)
    registry.pick_at(MS, model="other")
    registry.runtime.run_tasks(FAR_NS)

    assert registry.waits_ns == [TRANSACTION_NS - MS]


@pytest.mark.parametrize("mode", ["serial", "locked", "read_committed"])
def test_only_rows_on_the_candidates_are_picked_however_loaded(mode: PickModeName) -> None:
    registry = Registry(mode, 3)
    registry.put(ReplicaKey("n1", "m", 0), in_flight=5)

    registry.pick_at(0, choose=ChooseBest(["n1"]))
    registry.pick_at(0, choose=ChooseBest(["elsewhere"]))
    registry.runtime.run_tasks(FAR_NS)

    assert registry.keys() == ["n1#0"]
    assert len(registry.picked) == 2


@pytest.mark.parametrize("mode", ["serial", "locked", "read_committed"])
@pytest.mark.parametrize(
    ("preferred", "candidates", "expected"),
    [
        (ReplicaKey("n2", "m", 0), [], "n2#0"),
        (ReplicaKey("n2", "m", 0), ["n0", "n1"], "n0#0"),
        (ReplicaKey("n2", "m", 1), [], "n0#0"),
        (ReplicaKey("n2", "other", 0), [], "n0#0"),
    ],
    ids=["there", "no candidate", "no such replica", "of another model"],
)
def test_the_preferred_row_is_taken_whatever_its_load_if_it_is_among_the_rows(
    preferred: ReplicaKey, candidates: list[str], expected: str, mode: PickModeName
) -> None:
    registry = Registry(mode, 3)
    registry.put(ReplicaKey("n2", "m", 0), in_flight=5)

    registry.pick_at(0, choose=Prefer(preferred, candidates))
    registry.runtime.run_tasks(FAR_NS)

    assert registry.keys() == [expected]


def test_picks_that_wait_for_their_preferred_row_go_on_in_the_ordinary_order_when_it_is_deleted() -> None:
    registry = Registry("read_committed", 3)
    preferred = ReplicaKey("n2", "m", 0)

    async def delete_preferred() -> None:
        await registry.runtime.sleep(MS)
        registry.table.delete(preferred)

    registry.pick_at(0, 0, choose=Prefer(preferred))
    registry.runtime.spawn(delete_preferred(), "delete")
    registry.runtime.run_tasks(FAR_NS)

    assert registry.keys() == ["n2#0", "n0#0"]


def test_a_waiter_whose_node_is_no_longer_healthy_goes_on_in_its_old_order() -> None:
    registry = Registry("read_committed", 3)

    async def fall_ill() -> None:
        await registry.runtime.sleep(MS)
        registry.table.set_status("n0", NodeStatus.UNHEALTHY)

    registry.pick_at(0, 0)
    registry.runtime.spawn(fall_ill(), "fall ill")
    registry.runtime.run_tasks(FAR_NS)

    assert registry.keys() == ["n0#0", "n1#0"]


def test_a_choice_that_is_made_again_sees_the_others_as_the_statement_saw_them_first() -> None:
    registry = Registry("read_committed", 3)
    asked: list[list[tuple[str, int]]] = []

    class ChooseFirst:
        nodes: Collection[str] = ()
        order = None

        def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
            asked.append([(replica.key.node, replica.in_flight) for replica in replicas])
            return next(iter(replicas), None)

    async def delete_first() -> None:
        await registry.runtime.sleep(MS)
        registry.table.delete(ReplicaKey("n0", "m", 0))
        registry.table.increment(ReplicaKey("n1", "m", 0), 0)

    registry.pick_at(0, 0, choose=ChooseFirst())
    registry.runtime.spawn(delete_first(), "delete")
    registry.runtime.run_tasks(FAR_NS)

    assert asked[-1] == [("n1", 0), ("n2", 0)]
    assert registry.keys() == ["n0#0", "n1#0"]
