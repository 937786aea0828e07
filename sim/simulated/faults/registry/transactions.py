"""Faults of single transactions with the registry."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Protocol, TypeVar, cast

from sim.routing.errors import NotCommitted, Unavailable
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import MadeCall
from sim.scenario.spec.faults.registry import (
    ConnectionLostFault,
    DeadlockFault,
    PoolExhaustedFault,
    RegistryOutageFault,
    StatementTimeoutFault,
    TransactionAbortFault,
)
from sim.simulated.faults.base import LastingFault, LastingSpec, Luck, effect_of
from sim.simulated.faults.interposed import interposed_registry
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.parts import Parts

_LOCKS: Collection[str] = ("lock", "try_lock")
"""Calls whose effect ends with the connection: the registry frees the lock."""


class TransactionSpec(LastingSpec, Protocol):
    """The spec of any fault of transactions."""

    @property
    def frontend(self) -> int | None:
        """Index of the frontend whose transactions are hit; None hits those of all frontends and of the nodes."""


Spec = TypeVar("Spec", bound=TransactionSpec)


def caller(frontend: int) -> str:
    """Return the name, in events, of who makes a transaction: a frontend, or the nodes."""
    return f"frontend {frontend}" if frontend >= 0 else "nodes"


class TransactionFault(LastingFault[Spec], ABC):
    """A fault around every transaction of one frontend, or of all frontends and nodes, while it is active."""

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        if self.spec.frontend not in (None, frontend):
            return ports
        place = caller(frontend)

        async def transact(name: str, call: MadeCall) -> Any:
            if not self.is_active():
                return await call()
            return await self.transact(place, name, call)

        leak = self.parts.database.table.leak
        return replace(ports, registry=interposed_registry(ports.runtime, ports.registry, transact, leak))

    @abstractmethod
    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        """Answer the registry call of this name, made by the frontend or the nodes at `place`."""

    async def spend_a_transaction(self) -> None:
        """Wait as long as a transaction takes."""
        await self.parts.runtime.sleep(self.parts.database.transaction_ns)


@effect_of(TransactionAbortFault)
class TransactionAbort(TransactionFault[TransactionAbortFault]):
    """Aborts a transaction at its commit."""

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        if not self.luck.strikes(self.spec.rate):
            return await call()
        await self.spend_a_transaction()
        self.struck(place)
        raise NotCommitted("the transaction was aborted at its commit")


@effect_of(DeadlockFault)
class Deadlock(TransactionFault[DeadlockFault]):
    """Makes a transaction wait until it is chosen as the victim of a deadlock."""

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        if not self.luck.strikes(self.spec.rate):
            return await call()
        await self.parts.runtime.sleep(self.spec.wait_ns)
        self.parts.journal.lock_waited(self.spec.wait_ns)
        self.struck(place)
        raise NotCommitted("the transaction was the victim of a deadlock")


@effect_of(ConnectionLostFault)
class ConnectionLost(TransactionFault[ConnectionLostFault]):
    """Breaks the connection around a commit, so that the caller does not know what became of it."""

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        if not self.luck.strikes(self.spec.rate):
            return await call()
        if self.spec.when == "after_commit" and name not in _LOCKS:
            await call()
        else:
            await self.spend_a_transaction()
        self.struck(place)
        raise Unavailable("the connection to the registry was lost at a commit")


@effect_of(PoolExhaustedFault)
class PoolExhausted(TransactionFault[PoolExhaustedFault]):
    """Makes transactions queue for a few connections.

    One that waits for a lock keeps its connection, so a small pool can stand still, as real ones do: the holder of the
    lock waits for a connection, and whoever has the connection for the lock.
    """

    def __init__(self, spec: PoolExhaustedFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._pools: dict[str, FifoQueue] = {}

    async def happen(self) -> None:
        """Let in everybody who still queues when the fault ends."""
        if self.spec.lasts_ns is None:
            return
        await self.parts.runtime.sleep(self.spec.at_ns + self.spec.lasts_ns)
        for pool in self._pools.values():
            while not pool.is_free():
                pool.release()

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        pool = self._pools.setdefault(place, FifoQueue(self.parts.runtime, self.spec.connections))
        if not pool.is_free():
            self.struck(place)
        await pool.acquire()
        try:
            return await call()
        finally:
            pool.release()


@effect_of(RegistryOutageFault)
class RegistryOutage(TransactionFault[RegistryOutageFault]):
    """Makes the registry unreachable."""

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        self.struck(place)
        raise NotCommitted("nobody answers at the registry's address")


@effect_of(StatementTimeoutFault)
class StatementTimeout(TransactionFault[StatementTimeoutFault]):
    """Breaks off a statement that takes longer than a limit.

    The caller is interrupted where it waits, so that a statement is either broken off or done, and never both.
    """

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        runtime = self.parts.runtime
        waiting = [runtime.running]

        def break_off(_event: object) -> None:
            for task in waiting:
                self.struck(place)
                task.interrupt(Unavailable(f"the statement took longer than {self.spec.limit_ns} ns"))

        # A nanosecond more: what takes just as long as the limit does not take longer.
        limit = runtime.timeout(self.spec.limit_ns + 1)
        cast("list[Any]", limit.callbacks).append(break_off)
        try:
            return await call()
        finally:
            waiting.clear()
