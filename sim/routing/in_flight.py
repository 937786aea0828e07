"""How a row's in-flight count follows the requests: the reservation of a pick, and the tracking of each call.

A pick adds 1, the start of a call adds 1, its end takes 1, and the end of the client's first call takes back the
pick's 1. So a request that has a client of its own counts twice while it runs: 0, 1 (pick), 2 (start), 1, 0.
"""

from sim.routing.errors import ModelNotLoaded, WrongModel
from sim.routing.ports import Backend, Journal, Registry, Runtime
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request


class Reservation:
    """The 1 that a pick added to a row; it is given back once, whoever asks and how often."""

    __slots__ = ("_held", "_registry", "key")

    def __init__(self, registry: Registry, key: ReplicaKey) -> None:
        self._registry = registry
        self.key = key
        self._held = True

    async def release(self) -> None:
        """Take 1 from the row that has this key now, the first time it is called."""
        if not self._held:
            return
        self._held = False
        await self._registry.decrement(self.key)


class Route:
    """A client bound to one replica, which counts its calls in the registry."""

    __slots__ = ("_journal", "_registry", "_reservation", "_runtime", "address", "backend", "key")

    def __init__(
        self,
        backend: Backend,
        address: str,
        reservation: Reservation,
        registry: Registry,
        runtime: Runtime,
        journal: Journal,
    ) -> None:
        self.backend = backend
        self.address = address
        self.key = reservation.key
        self._reservation = reservation
        self._registry = registry
        self._runtime = runtime
        self._journal = journal

    async def predict(self, request: Request) -> None:
        """Serve the request on the replica, counted in flight meanwhile.

        The count is taken back by a task of its own, for the client may be gone by then. A call whose start found
        no row takes nothing back, not even the reservation. A process that turns out not to hold the model loses
        its row; the error is raised all the same.
        """
        counted = await self._count_start()
        try:
            await self.backend.predict(request)
        except (ModelNotLoaded, WrongModel) as error:
            await self._remove_row(request, type(error).__name__)
            raise
        finally:
            if counted:
                self._runtime.spawn(self._settle(), "settle")

    async def _count_start(self) -> bool:
        try:
            return await self._registry.increment(self.key)
        except BaseException:
            self._runtime.spawn(self._reservation.release(), "release")
            raise

    async def _settle(self) -> None:
        await self._registry.decrement(self.key)
        await self._reservation.release()

    async def _remove_row(self, request: Request, cause: str) -> None:
        if await self._registry.remove(self.key):
            self._journal.row_removed(self.key, self.address, cause, request)
