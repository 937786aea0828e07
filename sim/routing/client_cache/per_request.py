"""A route for every request, and a liveness check after it: under one lock for all models, or one lock for each.

Both classes go through the steps of one LocalAI version. `with Held` is where a lock is held.
"""

from contextlib import suppress

from sim.routing.client_cache.failure_domain import UNLOAD_LIMIT_NS, FailureDomain
from sim.routing.client_cache.kept import KeptClients
from sim.routing.client_cache.liveness import LivenessCheck, Said
from sim.routing.client_cache.locks import FairLock, Held
from sim.routing.errors import CallError
from sim.routing.ports import FrontendPorts
from sim.routing.request import Request
from sim.routing.request_path.outlasting import outlasting
from sim.routing.request_path.route import FindRoute, Route

LOOKS = 3
"""How often a request takes the frontend's lock for an instant before it is routed."""


class _Checking:
    """What both versions do with the newest client of a model, under locks of their own."""

    def __init__(
        self,
        ports: FrontendPorts,
        find_route: FindRoute,
        clients: KeptClients,
        check: LivenessCheck | None,
        domain: FailureDomain,
    ) -> None:
        """`check` is None for no check."""
        self._ports = ports
        self._find_route = find_route
        self._clients = clients
        self._check = check
        self._domain = domain

    async def _ask_newest(self, request: Request, route: Route) -> None:
        """Ask the model's newest client, which need not be that of the route.

        If nobody is there, or no client is left, the request goes on with its route, unguarded.
        """
        newest = self._clients.newest(request.model)
        if newest is None:
            route.is_guarded = False
        elif self._check is not None and await self._check.ask(request, newest) is Said.REFUSED:
            await self._domain.give_up(request)
            route.is_guarded = False


class CoarselyLocked(_Checking):
    """One lock for all models of the frontend: LocalAI's loader at the commit of the fix.

    While one request's check waits for a busy process, every other request of the frontend waits at its next step.
    """

    def __init__(
        self,
        ports: FrontendPorts,
        find_route: FindRoute,
        clients: KeptClients,
        check: LivenessCheck | None,
        domain: FailureDomain,
    ) -> None:
        super().__init__(ports, find_route, clients, check, domain)
        self._lock = FairLock()

    async def route(self, request: Request) -> Route:
        """Route the request, store its client, and ask the newest client whether it is well."""
        for _ in range(LOOKS):
            async with self._held(request):
                pass
        try:
            route = await self._find_route(request)
        except CallError:
            async with self._held(request):
                await self._domain.give_up(request)
            raise
        try:
            async with self._held(request):
                self._clients.store(request.model, route)
            async with self._held(request):
                await self._ask_newest(request, route)
        except BaseException:
            route.leave()
            raise
        return route

    async def refused(self, request: Request, route: Route) -> None:
        """Give the model up, once for each guarded route."""
        if route.is_guarded:
            route.is_guarded = False
            async with self._held(request):
                await self._domain.give_up(request)

    def _held(self, request: Request) -> Held:
        return Held(self._ports, self._lock, "frontend", request, shares=False)


class FinelyLocked(_Checking):
    """One lock for each model, which routes share and an unload takes alone: LocalAI's loader since 2026-07-19.

    Checks of different clients run side by side. An unload that does not come to its end in 30 s is given up.
    """

    def __init__(
        self,
        ports: FrontendPorts,
        find_route: FindRoute,
        clients: KeptClients,
        check: LivenessCheck | None,
        domain: FailureDomain,
    ) -> None:
        super().__init__(ports, find_route, clients, check, domain)
        self._locks: dict[str, FairLock] = {}

    async def route(self, request: Request) -> Route:
        """Route the request and store its client, then ask the newest client; nobody's leaving ends that check."""
        try:
            async with self._shared(request):
                route = await self._find_route(request)
                self._clients.store(request.model, route)
        except CallError:
            await self._unload(request)
            raise
        if self._check is not None:
            try:
                await outlasting(self._ports.runtime, self._ask(request, route))
            except BaseException:
                route.leave()
                raise
        return route

    async def refused(self, request: Request, route: Route) -> None:
        """Give the model up, once for each guarded route."""
        if route.is_guarded:
            route.is_guarded = False
            await self._unload(request)

    async def _ask(self, request: Request, route: Route) -> None:
        newest = self._clients.newest(request.model)
        lock = FairLock() if newest is None else newest.lock
        async with self._shared(request), Held(self._ports, lock, f"client of {request.model}", request, shares=False):
            await self._ask_newest(request, route)

    async def _unload(self, request: Request) -> None:
        with suppress(CallError):
            await self._ports.runtime.within(UNLOAD_LIMIT_NS, self._unload_alone(request))

    async def _unload_alone(self, request: Request) -> None:
        async with Held(self._ports, self._lock(request), f"{request.model}, alone", request, shares=False):
            await self._domain.give_up(request)

    def _shared(self, request: Request) -> Held:
        return Held(self._ports, self._lock(request), f"{request.model}, shared", request, shares=True)

    def _lock(self, request: Request) -> FairLock:
        return self._locks.setdefault(request.model, FairLock())
