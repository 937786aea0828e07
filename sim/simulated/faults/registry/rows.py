"""Faults of single rows of the registry's tables."""

from collections.abc import Callable, Mapping

from sim.routing.replica import ReplicaKey
from sim.scenario.spec.faults.registry import DuplicateRowFault, NullValueFault, RowDeletedFault
from sim.simulated.faults.base import Fault, effect_of
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.registry.null import Null, known
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import Row


@effect_of(RowDeletedFault)
class RowDeleted(Fault[RowDeletedFault]):
    """Deletes a row in a transaction of its own, which holds the row's lock as a pick does."""

    async def happen(self) -> None:
        await self.parts.runtime.sleep(self.spec.at_ns)
        table, key = self.parts.database.table, _key(self.spec)
        row = table.rows.get(key)
        if row is None:
            return
        await row.lock.acquire()
        try:
            await self.parts.runtime.sleep(self.parts.database.transaction_ns)
            found = table.rows.get(key)
            if found is not None:
                table.delete(key)
                self.struck(str(key))
                self.parts.journal.row_removed(key, found.address, self.spec.kind, None)
        finally:
            row.lock.release()


@effect_of(DuplicateRowFault)
class DuplicateRow(Fault[DuplicateRowFault]):
    """Writes a second row for a replica, as would be possible without a unique index."""

    async def happen(self) -> None:
        """Write the row, if the replica has one."""
        await self.parts.runtime.sleep(self.spec.at_ns)
        key = _key(self.spec)
        if self.parts.database.table.duplicate(key, FifoQueue(self.parts.runtime, 1)):
            self.struck(str(key))


@effect_of(NullValueFault)
class NullValue(Fault[NullValueFault]):
    """Empties a column, until something writes into it."""

    async def happen(self) -> None:
        """Empty the column, if the replica has a row."""
        await self.parts.runtime.sleep(self.spec.at_ns)
        table, key = self.parts.database.table, _key(self.spec)
        row = table.rows.get(key)
        if row is not None:
            EMPTY_COLUMN[self.spec.column](table, row)
            self.struck(str(key))


def _key(spec: RowDeletedFault | DuplicateRowFault | NullValueFault) -> ReplicaKey:
    return ReplicaKey(spec.node, spec.model, spec.index)


def _empty_in_flight(_table: ReplicaTable, row: Row) -> None:
    row.in_flight = Null(known(row.in_flight))


def _empty_last_used(_table: ReplicaTable, row: Row) -> None:
    row.last_used_ns = Null(known(row.last_used_ns))


def _empty_available_vram(table: ReplicaTable, row: Row) -> None:
    node = table.nodes[row.key.node]
    node.available_vram_bytes = Null(known(node.available_vram_bytes))
    for one in table.rows.values():
        if one.key.node == row.key.node:
            one.available_vram_bytes = node.available_vram_bytes


EMPTY_COLUMN: Mapping[str, Callable[[ReplicaTable, Row], None]] = {
    "in_flight": _empty_in_flight,
    "last_used": _empty_last_used,
    "available_vram": _empty_available_vram,
}
"""Empties a column, by its name. The free VRAM is the node's, and all rows of the node show it."""
