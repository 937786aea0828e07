"""A limit on how long a request's call may take."""

from sim.routing.ports import Backend, Dialer, Runtime
from sim.routing.proxy import with_calls
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request


class LimitedDialer:
    """Dials backends whose calls raise DeadlineExceeded after the limit. The backend sees that its caller leaves."""

    def __init__(self, dialer: Dialer, runtime: Runtime, limit_ns: int) -> None:
        self._dialer = dialer
        self._runtime = runtime
        self._limit_ns = limit_ns

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        """Return a client for the process at the address, taken to be that replica's."""
        backend = self._dialer.dial(key, address)

        async def predict(request: Request) -> None:
            await self._runtime.within(self._limit_ns, backend.predict(request))

        return with_calls(backend, Backend, predict=predict)
