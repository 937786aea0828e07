"""The registry port: transactions that take time over the replica table."""

from collections.abc import Coroutine, Iterator, Sequence
from types import TracebackType
from typing import Any

from sim.routing.ports import Journal, NodeView
from sim.routing.replica import Replica, ReplicaKey
from sim.simulated.fifo_queue import FifoQueue
from sim.simulated.pick_modes import PickMode
from sim.simulated.replica_table import ReplicaTable
from sim.simulated.runtime import SimulatedRuntime


class SimulatedRegistry:
    """A SQL registry as its clients feel it.

    Every call is one transaction of `transaction_ns`. A pick holds its row all that time; the other writes are
    single statements, which take effect at the end of theirs, once no pick holds the row.
    """

    def __init__(
        self,
        runtime: SimulatedRuntime,
        table: ReplicaTable,
        pick_mode: PickMode,
        transaction_ns: int,
        journal: Journal,
    ) -> None:
        self.table = table
        self.transactions = 0
        self._runtime = runtime
        self._pick_mode = pick_mode
        self._transaction_ns = transaction_ns
        self._journal = journal
        self._rows = table.rows
        self._locks: dict[str, FifoQueue] = {}

    def pick(self, model: str) -> Coroutine[Any, Any, Replica | None]:
        """Choose a row and count the request on it, as the pick mode has it."""
        self.transactions += 1
        return self._pick_mode.pick(model)

    async def increment(self, key: ReplicaKey) -> bool:
        """Add 1 and touch the row; False if there is none."""
        self.transactions += 1
        if self._transaction_ns:
            await self._statement(key)
        return self.table.increment(key, self._runtime.now_ns())

    def give_back(self, key: ReplicaKey, count: int) -> None:
        """Take 1, `count` times in a row, each time unless the row has gone or stands at 0."""
        self.transactions += count
        if self._transaction_ns:
            self._runtime.spawn(self._give_back(key, count), "give back")
        else:
            self.table.decrement(key, count)

    async def touch(self, key: ReplicaKey) -> None:
        """Set the row's last use to now."""
        self.transactions += 1
        if self._transaction_ns:
            await self._statement(key)
        row = self._rows.get(key)
        if row is not None:
            row.last_used_ns = self._runtime.now_ns()

    async def publish(self, key: ReplicaKey, address: str, in_flight: int) -> None:
        """Write the row as loaded, with this count."""
        self.transactions += 1
        await self._statement(key)
        self.table.insert(key, address, in_flight, FifoQueue(self._runtime, 1))

    async def remove(self, key: ReplicaKey) -> bool:
        """Delete the row; False if it had gone already."""
        self.transactions += 1
        await self._statement(key)
        return self.table.delete(key)

    async def nodes(self, model: str) -> Sequence[NodeView]:
        """List the nodes, by name, as placement of the model sees them."""
        self.transactions += 1
        await self._runtime.sleep(self._transaction_ns)
        return self.table.node_views(model)

    def lock(self, name: str) -> "AdvisoryLock":
        """Return the advisory lock of that name, to be held with `async with`."""
        return AdvisoryLock(self, self._locks.setdefault(name, FifoQueue(self._runtime, 1)))

    def locks(self) -> Iterator[FifoQueue]:
        """Yield every lock there is: of rows, of nodes, and by name."""
        yield from (row.lock for row in self._rows.values())
        yield from (node.lock for node in self.table.nodes.values())
        yield from self._locks.values()

    async def await_lock(self, queue: FifoQueue) -> None:
        """Take an advisory lock in a transaction of its own, waiting as long as it is held."""
        self.transactions += 1
        await self._runtime.sleep(self._transaction_ns)
        await self._acquire(queue)

    async def _give_back(self, key: ReplicaKey, count: int) -> None:
        for _ in range(count):
            await self._statement(key)
            self.table.decrement(key, 1)

    async def _statement(self, key: ReplicaKey) -> None:
        """Let a single statement's round trip pass, and the wait for its row if a pick holds it."""
        await self._runtime.sleep(self._transaction_ns)
        row = self._rows.get(key)
        if row is not None and not row.lock.is_free():
            await self._acquire(row.lock)
            row.lock.release()

    async def _acquire(self, queue: FifoQueue) -> None:
        began_ns = self._runtime.now_ns()
        await queue.acquire()
        waited_ns = self._runtime.now_ns() - began_ns
        if waited_ns:
            self._journal.lock_waited(waited_ns)


class AdvisoryLock:
    """One use of a named lock; released at once, whether its holder finished, failed or left."""

    __slots__ = ("_queue", "_registry")

    def __init__(self, registry: SimulatedRegistry, queue: FifoQueue) -> None:
        self._registry = registry
        self._queue = queue

    async def __aenter__(self) -> None:
        """Wait for the lock."""
        await self._registry.await_lock(self._queue)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release it."""
        self._queue.release()
