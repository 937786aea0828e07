"""What the registry's tables hold, and how their rows read.

Text compares by code point everywhere, so that an order by id is the same on SQLite, on PostgreSQL and in Python.
Counts, times and VRAM may be NULL in rows that something else has written. No foreign key ties replicas to nodes: one
would add a lock on the node to every write of a replica's row.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

from sim.routing.ports import NodeView
from sim.routing.replica import Replica, ReplicaKey

HEALTHY: Final = "healthy"
LOADED: Final = "loaded"

NULL_SORTS_AS: Final = 1 << 63
"""What a NULL counts as in the order of picks: more than any number, so last where small goes first and first where
large does."""

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
    Index("node_models_one_row_per_replica", "node_id", "model_name", "replica_index", unique=True),
)


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A replica's row as it is stored, with its node's VRAM; None stands for NULL."""

    id: str
    key: ReplicaKey
    address: str
    state: str
    in_flight: int | None
    last_used_ns: int | None
    available_vram_bytes: int | None

    def as_read(self) -> Replica:
        """Return the row as a frontend reads it: what is NULL reads as 0."""
        return self._replica(nulls_as=0)

    def as_ordered(self) -> Replica:
        """Return the row as the order of picks takes it: what is NULL is more than any number."""
        return self._replica(nulls_as=NULL_SORTS_AS)

    def _replica(self, nulls_as: int) -> Replica:
        def number(stored: int | None) -> int:
            return nulls_as if stored is None else stored

        return Replica(
            self.id,
            self.key,
            self.address,
            number(self.in_flight),
            number(self.last_used_ns),
            number(self.available_vram_bytes),
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
)
"""What `stored_row` needs of a replica joined to its node, in this order."""


def stored_row(columns: Sequence[Any]) -> StoredRow:
    """Return the row that was selected as REPLICA_COLUMNS."""
    row_id, node, model, index, address, state, in_flight, last_used, available_vram = columns
    return StoredRow(row_id, ReplicaKey(node, model, index), address, state, in_flight, last_used, available_vram)


NODE_COLUMNS: Final = (
    backend_nodes.c.id,
    backend_nodes.c.slots,
    backend_nodes.c.available_vram,
    node_models.c.model_name,
    node_models.c.replica_index,
    node_models.c.state,
    node_models.c.in_flight,
)
"""What `node_views` needs of each node beside each of its rows, in this order; sorted by node."""


def node_views(selected: Iterable[Any], model: str) -> Iterator[NodeView]:
    """Yield the nodes as placement of the model sees them, from what was selected as NODE_COLUMNS."""
    for (name, slots, available_vram), rows_of_node in groupby(selected, key=_node_of):
        # A node without replicas comes as one row whose replica is NULL.
        rows = [columns for columns in rows_of_node if columns.model_name is not None]
        used = tuple(sorted(columns.replica_index for columns in rows if columns.model_name == model))
        yield NodeView(
            name=name,
            free_slots=slots - len(used),
            used_indexes=used,
            loaded_rows=sum(columns.state == LOADED for columns in rows),
            in_flight=sum(columns.in_flight or 0 for columns in rows),
            available_vram_bytes=available_vram or 0,
        )


def _node_of(columns: Any) -> tuple[str, int, int | None]:
    return columns.id, columns.slots, columns.available_vram
