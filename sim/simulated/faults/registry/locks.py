"""Faults of the registry's locks: held by somebody else, or lost by their holder."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from types import TracebackType

from sim.routing.loading.cold_load import load_lock
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import with_calls
from sim.routing.registry import Registry
from sim.scenario.spec.faults.registry import AdvisoryLockLostFault, LockHeldFault
from sim.simulated.faults.base import Fault, Luck, effect_of
from sim.simulated.faults.registry.transactions import caller
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.parts import Parts


@effect_of(LockHeldFault)
class LockHeld(Fault[LockHeldFault]):
    """Takes the locks of the rows that a model has when the fault begins, and holds them until it ends.

    Picks that are serial by decree take no locks, so that only the other writes wait.
    """

    async def happen(self) -> None:
        await self.parts.runtime.sleep(self.spec.at_ns)
        rows = [row for row in self.parts.database.table.rows.values() if row.key.model == self.spec.model]
        for row in rows:
            self.struck(str(row.key))
            self.parts.runtime.spawn(self._hold(row.lock), "lock held")

    async def _hold(self, lock: FifoQueue) -> None:
        await lock.acquire()
        try:
            await self.sleep_until(self.spec.at_ns + self.spec.lasts_ns)
        finally:
            lock.release()


@effect_of(AdvisoryLockLostFault)
class AdvisoryLockLost(Fault[AdvisoryLockLostFault]):
    """Gives a model's advisory lock to the next in line while its holder goes on."""

    def __init__(self, spec: AdvisoryLockLostFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._held: dict[_LosableLock, str] = {}

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        if self.spec.frontend not in (None, frontend):
            return ports
        place = caller(frontend)

        def lock(name: str) -> AbstractAsyncContextManager[None]:
            held = ports.registry.lock(name)
            return _LosableLock(held, self._held, place) if name == load_lock(self.spec.model) else held

        registry = with_calls(ports.registry, Registry, lock=lock)
        return replace(ports, registry=registry)

    async def happen(self) -> None:
        await self.parts.runtime.sleep(self.spec.at_ns)
        for lock, place in list(self._held.items()):
            self.struck(place)
            await lock.let_go()


class _LosableLock(AbstractAsyncContextManager[None]):
    """A lock that can be taken from its holder, whose own release then does nothing."""

    def __init__(self, lock: AbstractAsyncContextManager[None], held: "dict[_LosableLock, str]", place: str) -> None:
        self._lock = lock
        self._held = held
        self._place = place

    async def __aenter__(self) -> None:
        await self._lock.__aenter__()
        self._held[self] = self._place

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self in self._held:
            await self.let_go()

    async def let_go(self) -> None:
        """Release the lock for the next in line."""
        del self._held[self]
        await self._lock.__aexit__(None, None, None)
