"""The registry's other side, for placement and the background loops: the fleet as a whole."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from types import TracebackType

from sim.routing.fleet import NO_COOLDOWN, Cooldown, Fleet, NodeFacts, NodeReport, NodeStatus, ReplicaRow
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.registry.null import Null
from sim.simulated.registry.registry import SimulatedRegistry
from sim.simulated.registry.rows import Row


class SimulatedFleetRegistry(SimulatedRegistry):
    """A registry that also shows and changes nodes, and rows in any state."""

    async def fleet(self) -> Fleet:
        await self._transaction()
        return self._database.read()

    async def register_node(self, facts: NodeFacts) -> Sequence[ReplicaRow]:
        """Write the node as healthy, and return the rows that it loses."""
        await self._transaction()
        with await self._held(self._table.rows_on(facts.name)):
            await self._wait_for(self._table.nodes[facts.name].lock)
            return self._database.register(facts, self._clock.wall_ns())

    async def heartbeat(self, node: str, report: NodeReport) -> None:
        """Set the node's heartbeat to now, and take over what it reports; waits for picks that hold the node."""
        await self._node_statement(node)
        row = self._table.nodes[node]
        row.heartbeat_ns = self._clock.wall_ns()
        if report.available_vram_bytes is not None:
            self._table.report_vram(node, report.available_vram_bytes)
        if report.available_disk_bytes is not None:
            row.available_disk_bytes = report.available_disk_bytes

    async def set_status(self, node: str, status: NodeStatus) -> Sequence[ReplicaRow]:
        """Set the node's status, and return the rows that it loses."""
        await self._transaction()
        with await self._held(self._table.rows_lost(node, status)):
            await self._wait_for(self._table.nodes[node].lock)
            return self._table.set_status(node, status)

    async def remove_row(self, row_id: str) -> bool:
        """Delete the row with this id; False if it is gone."""
        return await self._remove_if(row_id, lambda _row: True)

    async def remove_idle_row(self, row_id: str, unused_since_ns: int) -> bool:
        """Delete the row unless it is busy or was used later than that."""
        return await self._remove_if(row_id, lambda row: not row.in_flight and row.last_used_ns <= unused_since_ns)

    async def confirm_row(self, row_id: str) -> None:
        """Set the row's update time to now."""
        row = await self._row(row_id)
        if row is not None:
            row.updated_ns = self._clock.wall_ns()

    async def clear_in_flight(self, row_id: str) -> None:
        """Set the row's count to 0."""
        row = await self._row(row_id)
        if row is not None:
            self._table.clear_in_flight(row)

    async def evict(self, choose: Callable[[Fleet], ReplicaRow | None]) -> ReplicaRow | None:
        """Lock every row, choose one and delete it."""
        await self._transaction()
        rows = list(self._rows.values())
        with await self._held(rows):
            left = {row.id: row for row in rows if self._table.exists(row)}
            # A row that was published during the wait is not locked, so it may not be chosen.
            chosen = choose(replace(self._database.read(), rows=tuple(row.as_read() for row in left.values())))
            if chosen is not None:
                self._table.delete_row(left[chosen.id])
            return chosen

    async def reserve_vram(self, node: str, size_bytes: int) -> bool:
        """Reserve memory, if that much is unreserved."""
        await self._node_statement(node)
        row = self._table.nodes[node]
        available_bytes = row.available_vram_bytes
        if isinstance(available_bytes, Null) or row.reserved_vram_bytes + size_bytes > available_bytes:
            return False
        row.reserved_vram_bytes += size_bytes
        return True

    async def release_vram(self, node: str, size_bytes: int) -> None:
        """Release reserved memory, down to 0."""
        await self._node_statement(node)
        row = self._table.nodes[node]
        row.reserved_vram_bytes = max(0, row.reserved_vram_bytes - size_bytes)

    async def set_cooldown(self, model: str, cooldown: Cooldown) -> None:
        """Write the model's cooldown, or clear it."""
        await self._transaction()
        if cooldown == NO_COOLDOWN:
            self._database.cooldowns.pop(model, None)
        else:
            self._database.cooldowns[model] = cooldown

    async def advance_revision(self, model: str, revision: str) -> Sequence[ReplicaRow]:
        """Set the model's current revision, and return the rows that it overtakes."""
        await self._transaction()
        with await self._held(self._table.overtaken(model, revision)):
            return self._database.advance_revision(model, revision)

    async def claim_pass(self, name: str, interval_ns: int) -> bool:
        """Return True to the first caller in each interval, and False to the others."""
        await self._transaction()
        now_ns, claimed_ns = self._clock.wall_ns(), self._database.passes_ns.get(name)
        if claimed_ns is not None and now_ns - claimed_ns < interval_ns:
            return False
        self._database.passes_ns[name] = now_ns
        return True

    def try_lock(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Hold the advisory lock of that name if it is free."""
        return TriedLock(self, self._database.lock(name))

    async def try_take(self, queue: FifoQueue) -> bool:
        """Take the lock in a transaction of its own, or find it held."""
        await self._transaction()
        return queue.take_if_free()

    async def _transaction(self) -> None:
        self.transactions += 1
        if self._transaction_ns:
            await self._runtime.sleep(self._transaction_ns)

    async def _node_statement(self, node: str) -> None:
        await self._transaction()
        await self._wait_for(self._table.nodes[node].lock)

    async def _row(self, row_id: str) -> Row | None:
        """Find the row for a statement. If a pick holds it, the statement sees what the pick has made of it."""
        await self._transaction()
        row = self._table.row(row_id)
        if row is None or row.lock.is_free():
            return row
        await self._wait_for(row.lock)
        return row if self._table.exists(row) else None

    async def _remove_if(self, row_id: str, may_go: Callable[[Row], bool]) -> bool:
        row = await self._row(row_id)
        if row is None or not may_go(row):
            return False
        self._table.delete_row(row)
        return True


class TriedLock(AbstractAsyncContextManager[bool]):
    """One attempt at a named lock, released if it succeeded."""

    __slots__ = ("_is_held", "_queue", "_registry")

    def __init__(self, registry: SimulatedFleetRegistry, queue: FifoQueue) -> None:
        self._registry = registry
        self._queue = queue
        self._is_held = False

    async def __aenter__(self) -> bool:
        self._is_held = await self._registry.try_take(self._queue)
        return self._is_held

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_held:
            self._queue.release()
