"""The registry's tables: replica rows and node rows, without transactions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from sim.routing.fleet import OVERTAKEN, STATUS_HEEDED, NodeRule, NodeStatus, ReplicaRow, RowState, capacity_of
from sim.routing.ports import Clock
from sim.routing.registry import RowChange
from sim.routing.replica import ReplicaKey
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.registry.drift import Drifts
from sim.simulated.registry.null import Null, known
from sim.simulated.registry.rows import NodeRow, Row


class ReplicaTable:
    """Rows by key, and for each model those that may be picked, in the order of their ids."""

    def __init__(self, clock: Clock, nodes: Iterable[NodeRow], rule: NodeRule = STATUS_HEEDED) -> None:
        self._rule = rule
        self.nodes = {node.facts.name: node for node in sorted(nodes, key=lambda node: node.facts.name)}
        self.rows: dict[ReplicaKey, Row] = {}
        """Rows by key, in the order of their ids."""
        self.revisions: dict[str, str] = {}
        """The current revision by model."""
        self.floor_hits = 0
        self.pickable: dict[str, list[Row]] = {}
        """Each model's loaded rows on nodes that may serve, by id: the first of a full tie has the smallest id."""
        self._drifts = Drifts(clock, self.rows)
        self._twins: dict[ReplicaKey, Row] = {}
        """Second rows of a key, which only a fault writes. In `rows` each has an index below 0."""
        self._by_node: dict[str, dict[str, Row]] = {name: {} for name in self.nodes}
        """Each node's rows, by id."""
        self._next_id = count(1)

    def insert(
        self,
        key: ReplicaKey,
        address: str,
        in_flight: int,
        lock: FifoQueue,
        wall_ns: int,
        state: RowState,
        revision: str = "",
    ) -> None:
        """Write the row, in place of any row of the same key."""
        self.delete(key)
        self._drifts.settle(key)
        row = Row(
            # Ids follow the order of insertion. Real ids are random, but they decide full ties only.
            id=self._new_id(),
            key=key,
            address=address,
            in_flight=in_flight,
            last_used_ns=wall_ns,
            available_vram_bytes=self.nodes[key.node].available_vram_bytes,
            capacity=capacity_of(key.model, self.nodes[key.node].facts.capacities),
            state=state,
            updated_ns=wall_ns,
            revision=revision,
            lock=lock,
        )
        self._add(key, row)

    def duplicate(self, key: ReplicaKey, lock: FifoQueue) -> bool:
        """Write a second row of a key, which should have only one. Both are picked, and writes by key go to both.

        False if the key has no row, or two already.
        """
        row = self.rows.get(key)
        if row is None or key in self._twins:
            return False
        twin = self._twins[key] = replace(row, id=self._new_id(), lock=lock)
        self._drifts.add(key, -known(twin.in_flight))
        self._add(_second(key), twin)
        return True

    def delete(self, key: ReplicaKey) -> bool:
        """Delete the row; False if there is none. No row counts its holders any more."""
        row, twin = self.rows.get(key), self._twins.get(key)
        if row is None:
            return False
        self.delete_row(row)
        if twin is not None:
            self.delete_row(twin)
        return True

    def delete_row(self, row: Row) -> None:
        """Delete this row, which must exist."""
        key = row.key
        self._drifts.add(key, known(row.in_flight))
        del self._by_node[key.node][row.id]
        twin = self._twins.pop(key, None)
        if twin is None:
            del self.rows[key]
        elif twin is row:
            del self.rows[_second(key)]
        else:
            self._put_in_place_of(row, twin)
        if self._may_be_picked(row):
            self.pickable[key.model].remove(row)

    def eligible(self, model: str, nodes: Collection[str] = ()) -> Sequence[Row]:
        """Return the model's rows that may be picked, by id; only those on `nodes`, if any are named."""
        rows = self.pickable.get(model, ())
        return [row for row in rows if row.key.node in nodes] if nodes else rows

    def still_stands(self, row: Row) -> bool:
        """Tell whether the row exists and may be picked."""
        return self.exists(row) and self._may_be_picked(row)

    def exists(self, row: Row) -> bool:
        """Tell whether the row has not been deleted."""
        return self.rows.get(row.key) is row or self._twins.get(row.key) is row

    def note_if_gone(self, row: Row) -> None:
        """Note the place of a pick whose row was deleted during its transaction: nothing counts it."""
        if not self.exists(row):
            self._drifts.add(row.key, 1)

    def row(self, row_id: str) -> Row | None:
        """Return the row with this id, if it still exists."""
        return next((row for row in self.rows.values() if row.id == row_id), None)

    def set_status(self, node: str, status: NodeStatus) -> list[ReplicaRow]:
        """Set the node's status; delete and return its rows if the status has that effect."""
        self.nodes[node].status = status
        removed = self.delete_all(self.rows_lost(node, status))
        self.pickable.clear()
        for row in self.rows.values():
            if self._may_be_picked(row):
                self.pickable.setdefault(row.key.model, []).append(row)
        return removed

    def advance_revision(self, model: str, revision: str) -> list[ReplicaRow]:
        """Set the model's current revision, turn the rows that it overtakes into unloading, and return them."""
        self.revisions[model] = revision
        overtaken = self.overtaken(model, revision)
        for row in overtaken:
            row.state = RowState.UNLOADING
        self.pickable[model] = [
            row for row in self.rows.values() if row.key.model == model and self._may_be_picked(row)
        ]
        return [row.as_read() for row in overtaken]

    def overtaken(self, model: str, revision: str) -> list[Row]:
        """Return the model's rows that stand in the way of the revision, by id."""
        rows = [row for row in self.rows.values() if row.key.model == model]
        return [row for row in rows if row.revision != revision and row.state in OVERTAKEN]

    def rows_on(self, node: str) -> list[Row]:
        """Return the node's rows, by id."""
        return list(self._by_node[node].values())

    def rows_lost(self, node: str, status: NodeStatus) -> list[Row]:
        """Return the rows that the node loses if it takes on the status, by id."""
        return self.rows_on(node) if status in self._rule.delete_rows else []

    def delete_all(self, rows: Sequence[Row]) -> list[ReplicaRow]:
        """Delete the rows, which must exist, and return them as they were."""
        removed = [row.as_read() for row in rows]
        for row in rows:
            self.delete_row(row)
        return removed

    def increment(self, key: ReplicaKey, wall_ns: int) -> bool:
        """Add 1 to the row's in-flight count and touch it; False if the row is gone."""
        row = self.rows.get(key)
        if row is None:
            return False
        row.in_flight += 1
        row.last_used_ns = row.updated_ns = wall_ns
        if self._twins and key in self._twins:
            self._twins[key].take(wall_ns)
            self._drifts.add(key, -1)
        return True

    def touch(self, key: ReplicaKey, wall_ns: int) -> None:
        """Set the row's last use, if there is such a row."""
        row = self.rows.get(key)
        if row is not None:
            row.last_used_ns = row.updated_ns = wall_ns
        if self._twins and key in self._twins:
            twin = self._twins[key]
            twin.last_used_ns = twin.updated_ns = wall_ns

    def decrement(self, key: ReplicaKey, count: int) -> None:
        """Subtract 1 from the row's in-flight count `count` times, but not below 0 and not if the row is gone."""
        if self._twins and key in self._twins:
            self._decrement_twin(key, count)
        row = self.rows.get(key)
        if row is None:
            self._drifts.add(key, -count)
        elif row.in_flight >= count:
            row.in_flight -= count
        else:
            lost, row.in_flight = count - row.in_flight, 0
            self._drifts.add(key, -lost)
            self.floor_hits += lost

    def leak(self, key: ReplicaKey, count: int) -> None:
        """Note that `count` places are held no more, although nobody gives their counts back."""
        self._drifts.add(key, -count)

    def left_behind(self, key: ReplicaKey, count: int) -> None:
        """Hear from the journal of counts that stay although their request has ended."""
        self.leak(key, count)

    def counted_apart(self, key: ReplicaKey, count: int) -> None:
        """Hear from the journal of places that the row does not count yet."""
        self._drifts.add(key, count)

    def change(self, model: str, changes: Mapping[str, RowChange], wall_ns: int) -> None:
        """Make the changes to those of the model's rows that are there, by id. Places that were apart are counted."""
        for row in [row for row in self.rows.values() if row.key.model == model and row.id in changes]:
            added, is_used = changes[row.id]
            total = row.in_flight + added
            self._drifts.add(row.key, -max(added, -row.in_flight))
            self.floor_hits += max(0, -total)
            row.in_flight = max(0, total)
            if is_used:
                row.last_used_ns = row.updated_ns = wall_ns

    def clear_in_flight(self, row: Row) -> None:
        """Set the row's count to 0. No row counts its holders any more."""
        self._drifts.add(row.key, known(row.in_flight))
        row.in_flight = 0

    def report_vram(self, node: str, available_bytes: int) -> None:
        """Store what a node reports as its free VRAM, and clear what was reserved there."""
        self.nodes[node].available_vram_bytes = available_bytes
        self.nodes[node].reserved_vram_bytes = 0
        for row in self._by_node[node].values():
            row.available_vram_bytes = available_bytes

    def total_in_flight(self) -> int:
        """Return the sum of the stored counts, without those that are NULL."""
        return sum(row.in_flight for row in self.rows.values() if not isinstance(row.in_flight, Null))

    def places_held(self) -> int:
        """Return the number of places that requests hold on replicas, whether a row counts them or not."""
        stored = sum(known(row.in_flight) for row in self.rows.values())
        return stored + self._drifts.missing()

    def drift_ns(self) -> int:
        """Return the time integral of |stored count - holders| up to now, over the times when a row existed."""
        return self._drifts.integral_ns()

    def _new_id(self) -> str:
        return f"row-{next(self._next_id):06d}"

    def _add(self, key: ReplicaKey, row: Row) -> None:
        self.rows[key] = row
        self._by_node[key.node][row.id] = row
        if self._may_be_picked(row):
            self.pickable.setdefault(key.model, []).append(row)

    def _put_in_place_of(self, row: Row, twin: Row) -> None:
        """Let the key stand for the twin, without moving it among the others."""
        left = {(row.key if one is twin else place): one for place, one in self.rows.items() if one is not row}
        # The frontends' registries hold this very dict.
        self.rows.clear()
        self.rows.update(left)

    def _decrement_twin(self, key: ReplicaKey, count: int) -> None:
        # The drift of a key is that of its two counts together.
        twin = self._twins[key]
        stored = known(twin.in_flight)
        twin.in_flight = max(0, twin.in_flight - count)
        taken = stored - known(twin.in_flight)
        self._drifts.add(key, taken)
        self.floor_hits += count - taken

    def _may_be_picked(self, row: Row) -> bool:
        return (
            row.state is RowState.LOADED
            and self.nodes[row.key.node].status in self._rule.may_serve
            and self.revisions.get(row.key.model, row.revision) == row.revision
        )


def _second(key: ReplicaKey) -> ReplicaKey:
    """Return the key of the second row, which no other replica has."""
    return key._replace(replica_index=-1 - key.replica_index)
