"""Faults of single rows of the registry's tables."""

from collections.abc import Callable, Mapping

from sim.routing.replica import ReplicaKey
from sim.scenario.spec.faults.registry import DuplicateRowFault, NullValueFault, RowDeletedFault
from sim.simulated.faults.base import Fault, Luck
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.registry.null import Null, known
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import Row
from sim.simulated.stage import Stage


class RowDeleted(Fault):
    """Has a transaction of somebody else's delete a row; it holds the row's lock meanwhile, as a pick does."""

    def __init__(self, spec: RowDeletedFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Delete the row, unless there is none by the time it is locked."""
        await stage.runtime.sleep(self._spec.at_ns)
        table, key = stage.database.table, _key(self._spec)
        row = table.rows.get(key)
        if row is None:
            return
        await row.lock.acquire()
        try:
            await stage.runtime.sleep(stage.database.transaction_ns)
            found = table.rows.get(key)
            if found is not None:
                table.delete(key)
                stage.journal.fault_struck(self._spec.kind, str(key))
                stage.journal.row_removed(key, found.address, self._spec.kind, None)
        finally:
            row.lock.release()


class DuplicateRow(Fault):
    """Writes a second row for a replica, as one could without a unique index."""

    def __init__(self, spec: DuplicateRowFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Write the row, unless there is none that it could be the second of."""
        await stage.runtime.sleep(self._spec.at_ns)
        key = _key(self._spec)
        if stage.database.table.duplicate(key, FifoQueue(stage.runtime, 1)):
            stage.journal.fault_struck(self._spec.kind, str(key))


class NullValue(Fault):
    """Empties a column, until something writes into it."""

    def __init__(self, spec: NullValueFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Empty it, unless there is no row."""
        await stage.runtime.sleep(self._spec.at_ns)
        table, key = stage.database.table, _key(self._spec)
        row = table.rows.get(key)
        if row is not None:
            _EMPTY[self._spec.column](table, row)
            stage.journal.fault_struck(self._spec.kind, str(key))


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


_EMPTY: Mapping[str, Callable[[ReplicaTable, Row], None]] = {
    "in_flight": _empty_in_flight,
    "last_used": _empty_last_used,
    "available_vram": _empty_available_vram,
}
"""How a column of that name is emptied; the free VRAM is the node's, and all its rows show it."""
