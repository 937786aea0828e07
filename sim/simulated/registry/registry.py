"""The registry port: transactions that take time over the replica table."""

from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from types import TracebackType
from typing import Any

from sim.routing.fleet import RowState
from sim.routing.policies.choose import Choose
from sim.routing.ports import Clock, Journal
from sim.routing.registry import RowChange
from sim.routing.replica import Replica, ReplicaKey
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.registry.database import SimulatedDatabase
from sim.simulated.registry.pick_modes import PickMode
from sim.simulated.registry.rows import Row


class SimulatedRegistry:
    """A SQL registry as one frontend experiences it. All frontends share its database.

    Every call is one transaction of the database's length. A pick holds its row all that time; the other writes take
    effect at the end of theirs, once no pick holds a row that they change. What is written into a row as the present
    time is the frontend's own `clock`.
    """

    def __init__(
        self,
        runtime: SimulatedRuntime,
        clock: Clock,
        database: SimulatedDatabase,
        pick_mode: PickMode,
        journal: Journal,
    ) -> None:
        self.transactions = 0
        self._runtime = runtime
        self._clock = clock
        self._database = database
        self._pick_mode = pick_mode
        self._transaction_ns = database.transaction_ns
        self._journal = journal
        self._table = database.table
        self._rows = database.table.rows

    def pick(self, model: str, choose: Choose) -> Coroutine[Any, Any, Replica | None]:
        """Choose a row and count the request on it, as the pick mode has it."""
        self.transactions += 1
        return self._pick_mode.pick(model, choose, self._clock)

    async def increment(self, key: ReplicaKey) -> bool:
        """Add 1 and touch the row; False if there is none."""
        self.transactions += 1
        if self._transaction_ns and not await self._statement(key):
            return False
        return self._table.increment(key, self._clock.wall_ns())

    def give_back(self, key: ReplicaKey, count: int) -> None:
        """Subtract 1 `count` times, but not below 0 and not from a row that is gone."""
        self.transactions += count
        if self._transaction_ns:
            self._runtime.spawn(self._give_back(key, count), "give back")
        else:
            self._table.decrement(key, count)

    async def decrement(self, key: ReplicaKey, count: int) -> None:
        """Give back, and wait for it."""
        self.transactions += count
        if not self._transaction_ns:
            self._table.decrement(key, count)
            return
        over = self._runtime.future()
        self._runtime.spawn(self._give_back(key, count), "decrement", over)
        await over

    async def touch(self, key: ReplicaKey) -> None:
        """Set the row's last use to now."""
        self.transactions += 1
        if self._transaction_ns and not await self._statement(key):
            return
        self._table.touch(key, self._clock.wall_ns())

    async def exchange(self, model: str, changes: Mapping[str, RowChange]) -> Sequence[Replica]:
        """Change the rows, once no pick holds one of them, and read the model's rows."""
        self.transactions += 1
        if self._transaction_ns:
            await self._runtime.sleep(self._transaction_ns)
        with await self._held([row for row in self._rows.values() if row.id in changes]):
            self._table.change(model, changes, self._clock.wall_ns())
            return [row.as_picked() for row in self._table.eligible(model)]

    async def publish(
        self, key: ReplicaKey, address: str, in_flight: int, state: RowState = RowState.LOADED, revision: str = ""
    ) -> None:
        """Write the row, unless its revision is stale. The way to load the model is stored with it."""
        self.transactions += 1
        await self._statement(key)
        self._database.publish(key, address, in_flight, self._clock.wall_ns(), state, revision)

    async def remove(self, key: ReplicaKey) -> bool:
        """Delete the row; False if it is gone."""
        self.transactions += 1
        return await self._statement(key) and self._table.delete(key)

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Return the advisory lock of that name, to be held with `async with`."""
        return AdvisoryLock(self, self._database.lock(name))

    async def await_lock(self, queue: FifoQueue) -> None:
        """Take an advisory lock in a transaction of its own, waiting as long as it is held."""
        self.transactions += 1
        await self._runtime.sleep(self._transaction_ns)
        await self._acquire(queue)

    async def _give_back(self, key: ReplicaKey, count: int) -> None:
        for _ in range(count):
            if await self._statement(key):
                self._table.decrement(key, 1)
            else:
                self._table.leak(key, 1)

    async def _statement(self, key: ReplicaKey) -> bool:
        """Wait for one statement's round trip, and for its row if a pick holds it; False if that row goes meanwhile.

        Another row may have taken its place by then, but the statement does not see what was written after it began.
        """
        await self._runtime.sleep(self._transaction_ns)
        row = self._rows.get(key)
        if row is None or row.lock.is_free():
            return True
        await self._wait_for(row.lock)
        return self._table.exists(row)

    async def _held(self, rows: Iterable[Row]) -> ExitStack:
        """Lock the rows, which must come in the order of their ids, and return what lets them go.

        In one order for all, and rows before nodes as in a pick, so that no two wait for each other.
        """
        with ExitStack() as held:
            for row in rows:
                await self._acquire(row.lock)
                held.callback(row.lock.release)
            return held.pop_all()

    async def _wait_for(self, lock: FifoQueue) -> None:
        """Wait until nobody holds the lock. What is done before the next wait is done as its holder."""
        await self._acquire(lock)
        lock.release()

    async def _acquire(self, queue: FifoQueue) -> None:
        began_ns = self._runtime.now_ns()
        await queue.acquire()
        waited_ns = self._runtime.now_ns() - began_ns
        if waited_ns:
            self._journal.lock_waited(waited_ns)


class AdvisoryLock(AbstractAsyncContextManager[None]):
    """One use of a named lock; released at once, whether its holder finished, failed or left."""

    __slots__ = ("_queue", "_registry")

    def __init__(self, registry: SimulatedRegistry, queue: FifoQueue) -> None:
        self._registry = registry
        self._queue = queue

    async def __aenter__(self) -> None:
        await self._registry.await_lock(self._queue)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._queue.release()
