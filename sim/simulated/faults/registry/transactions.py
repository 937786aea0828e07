"""Faults of the transactions with the registry: what each of them is put around."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar, cast

from sim.routing.errors import Unavailable
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
from sim.simulated.faults.base import Fault, Luck, Window
from sim.simulated.faults.interposed import interposed_registry
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.stage import Stage

_LOCKS: Collection[str] = ("lock", "try_lock")
"""Calls whose effect goes with the connection: the registry frees the lock."""


class TransactionSpec(Protocol):
    """What the specs of such faults have in common."""

    @property
    def kind(self) -> str:
        """Name of the kind."""

    @property
    def frontend(self) -> int | None:
        """Whose transactions are hit; everybody's if it is None."""

    @property
    def at_ns(self) -> int:
        """When it begins."""

    @property
    def lasts_ns(self) -> int | None:
        """How long it lasts; to the end of the run if it is None."""


Spec = TypeVar("Spec", bound=TransactionSpec)


def caller(frontend: int) -> str:
    """Return what the events call the one whose transaction was hit: a frontend, or the nodes with their heartbeats."""
    return f"frontend {frontend}" if frontend >= 0 else "nodes"


class TransactionFault(Fault, ABC, Generic[Spec]):
    """Goes around every transaction of one frontend, or of everybody, while its window lasts."""

    stage: Stage

    def __init__(self, spec: Spec, luck: Luck) -> None:
        self.spec = spec
        self.luck = luck
        self._window = Window(spec.at_ns, spec.lasts_ns)

    async def happen(self, stage: Stage) -> None:
        """Get to know the world; the run begins with this."""
        self.stage = stage

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Put the fault before the frontend's registry."""
        if self.spec.frontend not in (None, frontend):
            return ports
        place = caller(frontend)

        async def transact(name: str, call: MadeCall) -> Any:
            if not self._window.holds(ports.runtime.now_ns()):
                return await call()
            return await self.transact(place, name, call)

        return replace(ports, registry=interposed_registry(ports.runtime, ports.registry, transact))

    @abstractmethod
    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        """Answer the call of this name, from this place."""

    def struck(self, place: str) -> None:
        """Note that it took effect."""
        self.stage.journal.fault_struck(self.spec.kind, place)

    async def spend_a_transaction(self) -> None:
        """Let as much time pass as a transaction takes."""
        await self.stage.runtime.sleep(self.stage.database.transaction_ns)


class TransactionAbort(TransactionFault[TransactionAbortFault]):
    """Lets a transaction take its time, and come to nothing."""

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        """Make the call, or fail at its end without having made it."""
        if not self.luck.strikes(self.spec.rate):
            return await call()
        await self.spend_a_transaction()
        self.struck(place)
        raise Unavailable("the transaction was aborted at its commit")


class Deadlock(TransactionFault[DeadlockFault]):
    """Has a transaction wait until it is chosen as the victim."""

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        """Make the call, or wait and fail."""
        if not self.luck.strikes(self.spec.rate):
            return await call()
        await self.stage.runtime.sleep(self.spec.wait_ns)
        self.stage.journal.lock_waited(self.spec.wait_ns)
        self.struck(place)
        raise Unavailable("the transaction was the victim of a deadlock")


class ConnectionLost(TransactionFault[ConnectionLostFault]):
    """Leaves whoever asked for a commit without knowing what became of it."""

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        """Make the call, or fail before it, or fail after it all the same."""
        if not self.luck.strikes(self.spec.rate):
            return await call()
        if self.spec.when == "after_commit" and name not in _LOCKS:
            await call()
        else:
            await self.spend_a_transaction()
        self.struck(place)
        raise Unavailable("the connection to the registry was lost at a commit")


class PoolExhausted(TransactionFault[PoolExhaustedFault]):
    """Has transactions queue for a few connections.

    One that waits for a lock keeps its connection, so a small pool can stand still, as real ones do: the holder of the
    lock waits for a connection, and whoever has the connection for the lock.
    """

    def __init__(self, spec: PoolExhaustedFault, luck: Luck) -> None:
        super().__init__(spec, luck)
        self._pools: dict[str, FifoQueue] = {}

    async def happen(self, stage: Stage) -> None:
        """Let in whoever is still queueing when the window closes."""
        await super().happen(stage)
        if self.spec.lasts_ns is None:
            return
        await stage.runtime.sleep(self.spec.at_ns + self.spec.lasts_ns)
        for pool in self._pools.values():
            while not pool.is_free():
                pool.release()

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        """Make the call once there is a connection for it."""
        pool = self._pools.setdefault(place, FifoQueue(self.stage.runtime, self.spec.connections))
        if not pool.is_free():
            self.struck(place)
        await pool.acquire()
        try:
            return await call()
        finally:
            pool.release()


class RegistryOutage(TransactionFault[RegistryOutageFault]):
    """Has nobody reach the registry."""

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        """Fail at once."""
        self.struck(place)
        raise Unavailable("nobody answers at the registry's address")


class StatementTimeout(TransactionFault[StatementTimeoutFault]):
    """Breaks off what takes longer than a limit.

    The caller is interrupted where it waits, so that a statement is either broken off or done, and never both.
    """

    async def transact(self, place: str, name: str, call: MadeCall) -> Any:
        """Make the call, and fail if it takes longer."""
        runtime = self.stage.runtime
        waiting = [runtime.running_task()]

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
