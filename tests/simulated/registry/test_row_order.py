"""The rows of the replica table stay in the order of their ids, whichever of them come and go: ties go by it."""

from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sim.routing.fleet import NodeFacts, NodeStatus, RowState
from sim.routing.replica import ReplicaKey
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import registered

NODES, MODELS = ("n0", "n1"), ("m", "other")
KEYS = [ReplicaKey("n0", "m", 0), ReplicaKey("n1", "m", 0), ReplicaKey("n0", "other", 0)]


class Listed(NamedTuple):
    id: str
    key: ReplicaKey


class RowsInOrder(RuleBasedStateMachine):
    """The table beside a plain list, to which rows are appended and from which they are removed."""

    def __init__(self) -> None:
        super().__init__()
        self._runtime = SimulatedRuntime()
        nodes = [registered(NodeFacts(name), self._lock(), 0) for name in NODES]
        self._table = ReplicaTable(self._runtime, nodes)
        self._list: list[Listed] = []
        for key in KEYS:
            self.insert(key)

    @rule(key=st.sampled_from(KEYS))
    def insert(self, key: ReplicaKey) -> None:
        self._table.insert(key, "", 0, self._lock(), 0, RowState.LOADED)
        self._list = [row for row in self._list if row.key != key]
        self._list.append(Listed(self._table.rows[key].id, key))

    @precondition(lambda self: self._list)
    @rule(place=st.integers(0, 5))
    def duplicate(self, place: int) -> None:
        key = self._list[place % len(self._list)].key
        is_alone = [row.key for row in self._list].count(key) == 1
        assert self._table.duplicate(key, self._lock()) is is_alone
        if is_alone:
            self._list.append(Listed(max(row.id for row in self._table.rows.values()), key))

    @rule(key=st.sampled_from(KEYS))
    def delete_both(self, key: ReplicaKey) -> None:
        self._table.delete(key)
        self._list = [row for row in self._list if row.key != key]

    @precondition(lambda self: self._list)
    @rule(place=st.integers(0, 5))
    def delete_one(self, place: int) -> None:
        gone = self._list.pop(place % len(self._list))
        row = self._table.row(gone.id)
        assert row is not None
        self._table.delete_row(row)

    @rule(node=st.sampled_from(NODES), status=st.sampled_from([NodeStatus.HEALTHY, NodeStatus.UNHEALTHY]))
    def set_status(self, node: str, status: NodeStatus) -> None:
        self._table.set_status(node, status)

    @invariant()
    def rows_are_listed_by_id(self) -> None:
        assert [Listed(row.id, row.key) for row in self._table.rows.values()] == self._list

    @invariant()
    def rows_that_may_be_picked_are_listed_by_id(self) -> None:
        healthy = {name for name, node in self._table.nodes.items() if node.status is NodeStatus.HEALTHY}
        for model in MODELS:
            expected = [row.id for row in self._list if row.key.model == model and row.key.node in healthy]
            assert [row.id for row in self._table.eligible(model)] == expected

    @invariant()
    def a_key_stands_for_its_first_row(self) -> None:
        first = {row.key: row.id for row in reversed(self._list)}
        found = {key: self._table.rows.get(key) for key in {row.key for row in self._list}}
        assert {key: row and row.id for key, row in found.items()} == first

    def _lock(self) -> FifoQueue:
        return FifoQueue(self._runtime, 1)


RowsInOrder.TestCase.settings = settings(max_examples=80, stateful_step_count=12)

test_rows_are_in_the_order_of_their_ids = RowsInOrder.TestCase
