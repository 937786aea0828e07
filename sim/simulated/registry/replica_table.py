"""What the registry's tables hold: replica rows and node rows, with no notion of transactions.

Beside each count stands its drift: how far the stored in-flight count is from the number of requests that hold a
place on the replica. The two part when a row is deleted under running requests, published anew, or decremented
at 0; as long as none of that happens they are equal, so nothing has to be counted twice.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from sim.routing.fleet import ReplicaRow
from sim.routing.ports import Clock
from sim.routing.replica import ReplicaKey
from sim.routing.states import OVERTAKEN, ROWS_DELETED, NodeStatus, RowState
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.registry.null import Null, known
from sim.simulated.registry.rows import NodeRow, Row


@dataclass(slots=True)
class _Drift:
    """Holders that the row of a key does not count, since when, and the sum so far."""

    missing: int = 0
    since_ns: int = 0
    total_ns: int = 0


class ReplicaTable:
    """Rows by key, and for each model those that may be picked, in the order of their ids."""

    def __init__(self, clock: Clock, nodes: Iterable[NodeRow]) -> None:
        self._clock = clock
        self.nodes = {node.facts.name: node for node in sorted(nodes, key=lambda node: node.facts.name)}
        self.rows: dict[ReplicaKey, Row] = {}
        """In the order of their ids."""
        self.revisions: dict[str, str] = {}
        """The current one by model."""
        self.floor_hits = 0
        self.pickable: dict[str, list[Row]] = {}
        """By model, its loaded rows on healthy nodes by id, so that the first of a full tie is the smallest id."""
        self._drifts: dict[ReplicaKey, _Drift] = {}
        self._twins: dict[ReplicaKey, Row] = {}
        """Second rows of a key, which only a fault writes; among `rows` each stands under an index below 0."""
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
        self._settle_drift(key)
        row = Row(
            # Ids are given in the order of insertion; real ones are random, which decides full ties only.
            id=self._new_id(),
            key=key,
            address=address,
            in_flight=in_flight,
            last_used_ns=wall_ns,
            available_vram_bytes=self.nodes[key.node].available_vram_bytes,
            state=state,
            confirmed_ns=wall_ns,
            revision=revision,
            lock=lock,
        )
        self._add(key, row)

    def duplicate(self, key: ReplicaKey, lock: FifoQueue) -> bool:
        """Write a second row like the first, though a key should have one: both are picked, writes by key go to both.

        False if there is none to begin with, or a second one already.
        """
        row = self.rows.get(key)
        if row is None or key in self._twins:
            return False
        twin = self._twins[key] = replace(row, id=self._new_id(), lock=lock)
        self._settle_drift(key).missing -= known(twin.in_flight)
        self._add(_second(key), twin)
        return True

    def delete(self, key: ReplicaKey) -> bool:
        """Delete the row; False if there is none. Its holders are then counted nowhere."""
        row, twin = self.rows.get(key), self._twins.get(key)
        if row is None:
            return False
        self.delete_row(row)
        if twin is not None:
            self.delete_row(twin)
        return True

    def delete_row(self, row: Row) -> None:
        """Delete this very row, which must be there."""
        key = row.key
        self._settle_drift(key).missing += known(row.in_flight)
        twin = self._twins.pop(key, None)
        if twin is not None:
            del self.rows[_second(key)]
        if twin is None or twin is row:
            del self.rows[key]
        else:
            self.rows[key] = twin
        if self._may_be_picked(row):
            self.pickable[key.model].remove(row)

    def eligible(self, model: str, nodes: Collection[str] = ()) -> Sequence[Row]:
        """Return the model's rows that may be picked, by id; of these nodes only, if there are any."""
        rows = self.pickable.get(model, ())
        return [row for row in rows if row.key.node in nodes] if nodes else rows

    def still_stands(self, row: Row) -> bool:
        """Tell whether the row is there and may be picked."""
        is_there = self.rows.get(row.key) is row or self._twins.get(row.key) is row
        return is_there and self._may_be_picked(row)

    def row(self, row_id: str) -> Row | None:
        """Return the row with this id, if it is there still."""
        return next((row for row in self.rows.values() if row.id == row_id), None)

    def set_status(self, node: str, status: NodeStatus) -> list[ReplicaRow]:
        """Set the node's status; delete and return its rows if the status has that effect."""
        self.nodes[node].status = status
        removed = self.delete_rows_of(node) if ROWS_DELETED[status] else []
        self.pickable.clear()
        for row in self.rows.values():
            if self._may_be_picked(row):
                self.pickable.setdefault(row.key.model, []).append(row)
        return removed

    def advance_revision(self, model: str, revision: str) -> list[ReplicaRow]:
        """Make it the model's current revision; turn the rows that it overtakes into unloading, and return them."""
        self.revisions[model] = revision
        rows = [row for row in self.rows.values() if row.key.model == model]
        overtaken = [row for row in rows if row.revision != revision and row.state in OVERTAKEN]
        for row in overtaken:
            row.state = RowState.UNLOADING
        self.pickable[model] = [row for row in rows if self._may_be_picked(row)]
        return [row.as_read() for row in overtaken]

    def delete_rows_of(self, node: str) -> list[ReplicaRow]:
        """Delete the node's rows and return them as they were."""
        removed = [row.as_read() for row in self.rows.values() if row.key.node == node]
        for row in removed:
            self.delete(row.key)
        return removed

    def increment(self, key: ReplicaKey, wall_ns: int) -> bool:
        """Add 1 to the row's number in flight and touch it; False if the row has gone."""
        row = self.rows.get(key)
        if row is None:
            self._void_reservation(key)
            return False
        row.in_flight += 1
        row.last_used_ns = wall_ns
        if self._twins and key in self._twins:
            self._twins[key].take(wall_ns)
            self._settle_drift(key).missing -= 1
        return True

    def touch(self, key: ReplicaKey, wall_ns: int) -> None:
        """Set the row's last use, if there is such a row."""
        row = self.rows.get(key)
        if row is not None:
            row.last_used_ns = wall_ns
        if self._twins and key in self._twins:
            self._twins[key].last_used_ns = wall_ns

    def decrement(self, key: ReplicaKey, count: int) -> None:
        """Take 1 from the row's number in flight, `count` times, each time unless the row has gone or stands at 0."""
        if self._twins and key in self._twins:
            self._decrement_twin(key, count)
        row = self.rows.get(key)
        stored = 0 if row is None else row.in_flight
        if row is not None:
            row.in_flight = max(0, stored - count)
        lost = count - stored
        if lost <= 0:
            return
        self._settle_drift(key).missing -= lost
        if row is not None:
            self.floor_hits += lost

    def leak(self, key: ReplicaKey, count: int) -> None:
        """Note that so many requests hold a place no longer, which nobody gives back."""
        self._settle_drift(key).missing -= count

    def clear_in_flight(self, row: Row) -> None:
        """Set the row's count to 0; whoever it counted is then counted nowhere."""
        self._settle_drift(row.key).missing += known(row.in_flight)
        row.in_flight = 0

    def report_vram(self, node: str, available_bytes: int) -> None:
        """Take over what a node reports as its free VRAM, in place of what was reserved there."""
        self.nodes[node].available_vram_bytes = available_bytes
        self.nodes[node].reserved_vram_bytes = 0
        for row in self.rows.values():
            if row.key.node == node:
                row.available_vram_bytes = available_bytes

    def total_in_flight(self) -> int:
        """Return the sum of the stored counts, without those that are NULL."""
        return sum(row.in_flight for row in self.rows.values() if not isinstance(row.in_flight, Null))

    def drift_ns(self) -> int:
        """Return the time integral of |stored count - holders| up to now, over the times when a row existed."""
        return sum(self._settle_drift(key).total_ns for key in list(self._drifts))

    def _new_id(self) -> str:
        return f"row-{next(self._next_id):06d}"

    def _add(self, key: ReplicaKey, row: Row) -> None:
        self.rows[key] = row
        if self._may_be_picked(row):
            self.pickable.setdefault(key.model, []).append(row)

    def _decrement_twin(self, key: ReplicaKey, count: int) -> None:
        # The drift of a key is that of its two counts together: the requests are taken from the other row.
        twin = self._twins[key]
        stored = known(twin.in_flight)
        twin.in_flight = max(0, twin.in_flight - count)
        taken = stored - known(twin.in_flight)
        self._settle_drift(key).missing += taken
        self.floor_hits += count - taken

    def _may_be_picked(self, row: Row) -> bool:
        return (
            row.state is RowState.LOADED
            and self.nodes[row.key.node].status is NodeStatus.HEALTHY
            and self.revisions.get(row.key.model, row.revision) == row.revision
        )

    def _void_reservation(self, key: ReplicaKey) -> None:
        # A call whose start finds no row gives nothing back, so what its pick added is held by nobody from here on.
        drift = self._settle_drift(key)
        drift.missing = max(0, drift.missing - 1)

    def _settle_drift(self, key: ReplicaKey) -> _Drift:
        drift = self._drifts.setdefault(key, _Drift())
        now_ns = self._clock.now_ns()
        if key in self.rows:
            drift.total_ns += abs(drift.missing) * (now_ns - drift.since_ns)
        drift.since_ns = now_ns
        return drift


def _second(key: ReplicaKey) -> ReplicaKey:
    """Return where a second row of the key stands, among keys that nobody else has."""
    return key._replace(replica_index=-1 - key.replica_index)
