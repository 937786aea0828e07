"""The installs that one frontend asks for: at most one per replica at a time."""

from sim.routing.errors import CallError
from sim.routing.ports import Runtime, WorkerControl
from sim.routing.replica import ReplicaKey
from sim.routing.request_path.singleflight import DetachedFlight
from sim.routing.units import NS_PER_S

INSTALL_LIMIT_NS = 15 * 60 * NS_PER_S
"""How long a worker may take to answer."""


class Installs:
    """Shares the install of a replica among those who ask for it meanwhile; a caller that leaves does not stop it."""

    __slots__ = ("_flights", "_runtime", "_worker")

    def __init__(self, runtime: Runtime, worker: WorkerControl) -> None:
        self._runtime = runtime
        self._worker = worker
        self._flights = DetachedFlight(runtime)

    async def install(self, key: ReplicaKey) -> str:
        """Return the process's address. Raises the CallError of a worker that cannot start it in time."""
        outcome = await self._flights.do(f"{key.node}|{key.model}|{key.replica_index}", lambda: self._attempt(key))
        if isinstance(outcome, CallError):
            # Each caller gets an error of its own.
            raise type(outcome)(str(outcome))
        return outcome

    async def _attempt(self, key: ReplicaKey) -> str | CallError:
        """Return a CallError rather than raise it: a flight wraps what is raised in it."""
        try:
            return await self._runtime.within(INSTALL_LIMIT_NS, self._worker.install(key))
        except CallError as error:
            return error
