"""What every way of keeping clients is made of, whichever locks it takes, and the one lock that two of them take."""

from dataclasses import dataclass

from sim.routing.client_cache.failure_domain import FailureDomain
from sim.routing.client_cache.kept import KeptClients
from sim.routing.client_cache.liveness import LivenessCheck
from sim.routing.client_cache.locks import FairLock, Held
from sim.routing.ports import FrontendPorts
from sim.routing.request import Request
from sim.routing.request_path.route import FindRoute


@dataclass(frozen=True, slots=True)
class LoaderParts:
    """The parts of one frontend's loader."""

    ports: FrontendPorts
    find_route: FindRoute
    """Where new routes come from."""
    clients: KeptClients
    check: LivenessCheck | None
    """None for no check of kept clients."""
    domain: FailureDomain
    """What is given up with a replica that is gone."""


class FrontendLock:
    """One lock for all models of a frontend, under which models are given up."""

    def __init__(self, parts: LoaderParts) -> None:
        self._parts = parts
        self._lock = FairLock()

    def held(self, request: Request) -> Held:
        """Return the lock as the request takes it: `async with lock.held(request)`."""
        return Held(self._parts.ports, self._lock, "frontend", request, shares=False)

    async def give_up(self, request: Request) -> None:
        """Take the lock and give the request's model up."""
        async with self.held(request):
            await self._parts.domain.give_up(request)
