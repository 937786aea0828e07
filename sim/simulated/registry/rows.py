"""Rows of the registry's two tables, each with the lock that a transaction takes on it."""

from dataclasses import dataclass

from sim.routing.fleet import Node, NodeFacts, NodeStatus, ReplicaRow, RowState
from sim.routing.replica import Replica
from sim.simulated.kernel.fifo_queue import FifoQueue


@dataclass(slots=True, kw_only=True)
class Row(Replica):
    """A `node_models` row, with the lock that a transaction takes on it."""

    state: RowState
    updated_ns: int
    """Wall time of the last use or confirmation, by the clock of whoever wrote it: it can be before `last_used_ns`."""
    revision: str
    lock: FifoQueue

    def as_read(self) -> ReplicaRow:
        """Return the row as a reading of the fleet shows it."""
        return ReplicaRow(
            self.id,
            self.key,
            self.address,
            self.state,
            self.in_flight,
            self.last_used_ns,
            self.updated_ns,
            self.revision,
        )

    def as_picked(self) -> Replica:
        """Return what a pick reads of the row."""
        return Replica(
            self.id,
            self.key,
            self.address,
            self.in_flight,
            self.last_used_ns,
            self.available_vram_bytes,
            self.capacity,
        )

    def take(self, wall_ns: int) -> Replica:
        """Count a pick on the row and touch it; return the row as the pick read it."""
        # Written out once more, because every request comes here.
        as_read = Replica(
            self.id,
            self.key,
            self.address,
            self.in_flight,
            self.last_used_ns,
            self.available_vram_bytes,
            self.capacity,
        )
        self.in_flight += 1
        self.last_used_ns = self.updated_ns = wall_ns
        return as_read


@dataclass(slots=True)
class NodeRow:
    """A `backend_nodes` row; a pick locks it together with the replica's row."""

    facts: NodeFacts
    lock: FifoQueue
    status: NodeStatus
    heartbeat_ns: int
    available_vram_bytes: int
    available_disk_bytes: int
    reserved_vram_bytes: int = 0

    def as_read(self) -> Node:
        """Return the row as a reading of the fleet shows it."""
        facts = self.facts
        return Node(
            name=facts.name,
            status=self.status,
            address=facts.address,
            slots=facts.slots,
            labels=facts.labels,
            heartbeat_ns=self.heartbeat_ns,
            available_vram_bytes=self.available_vram_bytes,
            reserved_vram_bytes=self.reserved_vram_bytes,
            total_disk_bytes=facts.total_disk_bytes,
            available_disk_bytes=self.available_disk_bytes,
            capacities=facts.capacities,
        )


def registered(facts: NodeFacts, lock: FifoQueue, wall_ns: int) -> NodeRow:
    """Return the row of a node that has just registered."""
    return NodeRow(facts, lock, NodeStatus.HEALTHY, wall_ns, facts.total_vram_bytes, facts.total_disk_bytes)
