"""What the registry's tables hold: replica rows and node rows, with no notion of transactions.

Beside each count stands its drift: how far the stored in-flight count is from the number of requests that hold a
place on the replica. The two part when a row is deleted under running requests, published anew, or decremented
at 0; as long as none of that happens they are equal, so nothing has to be counted twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from sim.routing.ports import Clock, NodeView
from sim.routing.replica import Replica, ReplicaKey, row_order
from sim.simulated.fifo_queue import FifoQueue


@dataclass(slots=True)
class Row(Replica):
    """A `node_models` row, with the lock that a transaction takes on it."""

    lock: FifoQueue

    def take(self, wall_ns: int) -> Replica:
        """Count a pick on the row and touch it; return the row as the pick read it."""
        as_read = Replica(self.id, self.key, self.address, self.in_flight, self.last_used_ns, self.available_vram_bytes)
        self.in_flight += 1
        self.last_used_ns = wall_ns
        return as_read


@dataclass(slots=True)
class NodeRow:
    """A `backend_nodes` row; a pick locks it together with the replica's row."""

    name: str
    slots: int
    available_vram_bytes: int
    lock: FifoQueue


@dataclass(slots=True)
class _Drift:
    """Holders that the row of a key does not count, since when, and the sum so far."""

    missing: int = 0
    since_ns: int = 0
    total_ns: int = 0


class ReplicaTable:
    """Rows by key, and for each model its rows in the order of their ids."""

    def __init__(self, clock: Clock, nodes: Iterable[NodeRow]) -> None:
        self._clock = clock
        self.nodes = {node.name: node for node in sorted(nodes, key=lambda node: node.name)}
        self.rows: dict[ReplicaKey, Row] = {}
        self.floor_hits = 0
        self._by_model: dict[str, list[Row]] = {}
        self._drifts: dict[ReplicaKey, _Drift] = {}
        self._next_id = count(1)

    def loaded(self, model: str) -> Sequence[Row]:
        """Return the model's rows by id, so that the first of a full tie is the smallest id."""
        return self._by_model.get(model, ())

    def in_pick_order(self, model: str) -> list[Row]:
        """Return the model's rows, the best first, as one statement sees them."""
        return sorted(self.loaded(model), key=row_order)

    def insert(self, key: ReplicaKey, address: str, in_flight: int, lock: FifoQueue) -> None:
        """Write the row, in place of any row of the same key."""
        self.delete(key)
        self._settle_drift(key)
        row = Row(
            # Ids are given in the order of insertion; real ones are random, which decides full ties only.
            id=f"row-{next(self._next_id):06d}",
            key=key,
            address=address,
            in_flight=in_flight,
            last_used_ns=self._clock.wall_ns(),
            available_vram_bytes=self.nodes[key.node].available_vram_bytes,
            lock=lock,
        )
        self.rows[key] = row
        self._by_model.setdefault(key.model, []).append(row)

    def delete(self, key: ReplicaKey) -> bool:
        """Delete the row; False if there is none. Its holders are then counted nowhere."""
        row = self.rows.get(key)
        if row is None:
            return False
        self._settle_drift(key).missing += row.in_flight
        del self.rows[key]
        self._by_model[key.model].remove(row)
        return True

    def increment(self, key: ReplicaKey, wall_ns: int) -> bool:
        """Add 1 to the row's number in flight and touch it; False if the row has gone."""
        row = self.rows.get(key)
        if row is None:
            self._void_reservation(key)
            return False
        row.in_flight += 1
        row.last_used_ns = wall_ns
        return True

    def decrement(self, key: ReplicaKey, count: int) -> None:
        """Take 1 from the row's number in flight, `count` times, each time unless the row has gone or stands at 0."""
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

    def report_vram(self, node: str, available_bytes: int) -> None:
        """Take over what a node reports as its free VRAM."""
        self.nodes[node].available_vram_bytes = available_bytes
        for row in self.rows.values():
            if row.key.node == node:
                row.available_vram_bytes = available_bytes

    def node_views(self, model: str) -> list[NodeView]:
        """Return every node, by name, as placement of the model sees it."""
        return [self._node_view(node, model) for node in self.nodes.values()]

    def total_in_flight(self) -> int:
        """Return the sum of the stored counts."""
        return sum(row.in_flight for row in self.rows.values())

    def drift_ns(self) -> int:
        """Return the time integral of |stored count - holders| up to now, over the times when a row existed."""
        return sum(self._settle_drift(key).total_ns for key in list(self._drifts))

    def _node_view(self, node: NodeRow, model: str) -> NodeView:
        rows = [row for row in self.rows.values() if row.key.node == node.name]
        used = tuple(row.key.replica_index for row in rows if row.key.model == model)
        return NodeView(
            name=node.name,
            free_slots=node.slots - len(used),
            used_indexes=used,
            loaded_rows=len(rows),
            in_flight=sum(row.in_flight for row in rows),
            available_vram_bytes=node.available_vram_bytes,
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
