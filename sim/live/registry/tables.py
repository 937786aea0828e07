"""The tables of the registry, and how their rows are read.

Text compares by code point everywhere, so that an order by id is the same on SQLite, on PostgreSQL and in Python.
Counts, times, sizes and what a node says of itself may be NULL, in rows that something else has written or that are
older than the column. No foreign key ties replicas to nodes: one would add a lock on the node to every write of a
replica's row.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

from sim.routing.fleet import Node, NodeStatus, ReplicaRow, RowState, capacity_of
from sim.routing.replica import NULL, Replica, ReplicaKey

TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()

backend_nodes = Table(
    "backend_nodes",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("status", TEXT, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("available_vram", BigInteger),
    Column("updated_at", BigInteger),
    Column("address", TEXT),
    Column("labels", TEXT),
    Column("capacities", TEXT),
    Column("reserved_vram", BigInteger),
    Column("total_disk", BigInteger),
    Column("available_disk", BigInteger),
    Column("last_heartbeat", BigInteger),
)

node_models = Table(
    "node_models",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("node_id", TEXT, nullable=False),
    Column("model_name", TEXT, nullable=False),
    Column("replica_index", Integer, nullable=False),
    Column("address", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("in_flight", BigInteger),
    Column("last_used", BigInteger),
    Column("updated_at", BigInteger),
    Column("revision", TEXT),
    Index("node_models_one_row_per_replica", "node_id", "model_name", "replica_index", unique=True),
)

model_load_infos = Table("model_load_infos", metadata, Column("model", TEXT, primary_key=True))

model_config_states = Table(
    "model_config_states",
    metadata,
    Column("model", TEXT, primary_key=True),
    Column("revision", TEXT, nullable=False),
)

model_cooldowns = Table(
    "model_cooldowns",
    metadata,
    Column("model", TEXT, primary_key=True),
    Column("fruitless_passes", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)

passes = Table(
    "passes",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("claimed_at", BigInteger, nullable=False),
)

load_jobs = Table(
    "load_jobs",
    metadata,
    Column("model", TEXT, primary_key=True),
    Column("id", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("heartbeat", BigInteger, nullable=False),
    Column("cause", TEXT, nullable=False),
)


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A replica's row as it is stored, with what its node's row says of VRAM and capacity; None stands for NULL."""

    id: str
    key: ReplicaKey
    address: str
    state: str
    in_flight: int | None
    last_used_ns: int | None
    available_vram_bytes: int | None
    capacity: float

    def as_read(self) -> Replica:
        """Return the row as a frontend reads it."""
        return Replica(
            self.id,
            self.key,
            self.address,
            _number(self.in_flight),
            _number(self.last_used_ns),
            _number(self.available_vram_bytes),
            self.capacity,
        )


REPLICA_COLUMNS: Final = (
    node_models.c.id,
    node_models.c.node_id,
    node_models.c.model_name,
    node_models.c.replica_index,
    node_models.c.address,
    node_models.c.state,
    node_models.c.in_flight,
    node_models.c.last_used,
    backend_nodes.c.available_vram,
    backend_nodes.c.capacities,
)
"""What `stored_row` needs of a replica joined to its node, in this order."""


def stored_row(columns: Sequence[Any]) -> StoredRow:
    """Return the row that was selected as REPLICA_COLUMNS."""
    row_id, node, model, index, address, state, in_flight, last_used, available_vram, capacities = columns
    capacity = capacity_of(model, _announced(capacities))
    key = ReplicaKey(node, model, index)
    return StoredRow(row_id, key, address, state, in_flight, last_used, available_vram, capacity)


def _number(stored: int | None) -> int:
    return NULL if stored is None else stored


def _announced(stored: str | None) -> dict[str, float]:
    """Return a node's capacities by model; none if its row is from before they were announced."""
    capacities: dict[str, float] = json.loads(stored or "{}")
    return capacities


def read_row(selected: Any) -> ReplicaRow:
    """Return the selected `node_models` row.

    A NULL count or last use reads as NULL. Any other reads as 0, or as empty.
    """
    return ReplicaRow(
        id=selected.id,
        key=ReplicaKey(selected.node_id, selected.model_name, selected.replica_index),
        address=selected.address,
        state=RowState(selected.state),
        in_flight=_number(selected.in_flight),
        last_used_ns=_number(selected.last_used),
        updated_ns=selected.updated_at or 0,
        revision=selected.revision or "",
    )


def read_node(selected: Any) -> Node:
    """Return the selected `backend_nodes` row.

    Available VRAM that is NULL reads as NULL. Any other reads as 0, or as empty.
    """
    return Node(
        name=selected.id,
        status=NodeStatus(selected.status),
        address=selected.address or "",
        slots=selected.slots,
        labels=json.loads(selected.labels or "{}"),
        heartbeat_ns=selected.last_heartbeat or 0,
        available_vram_bytes=_number(selected.available_vram),
        reserved_vram_bytes=selected.reserved_vram or 0,
        total_disk_bytes=selected.total_disk or 0,
        available_disk_bytes=selected.available_disk or 0,
        capacities=_announced(selected.capacities),
    )
