"""A route for every request, and a liveness check after it: under one lock for all models, or one lock for each.

Both classes go through the steps of one LocalAI version. `with Held` is where a lock is held.
"""

from contextlib import suppress

from sim.routing.client_cache.failure_domain import UNLOAD_LIMIT_NS
from sim.routing.client_cache.liveness import Said
from sim.routing.client_cache.locks import FairLock, Held
from sim.routing.client_cache.parts import FrontendLock, LoaderParts
from sim.routing.errors import CallError
from sim.routing.request import Request
from sim.routing.request_path.outlasting import outlasting
from sim.routing.request_path.route import Route

LOOKS = 3
"""How often a request takes the frontend's lock for an instant before it is routed."""


class CoarselyLocked:
    """One lock for all models of the frontend: LocalAI's loader at the commit of the fix.

    While one request's check waits for a busy process, every other request of the frontend waits at its next step.
    """

    def __init__(self, parts: LoaderParts) -> None:
        self._parts = parts
        self._lock = FrontendLock(parts)

    async def route(self, request: Request) -> Route:
        """Route the request, store its client, and ask the newest client whether it is well."""
        for _ in range(LOOKS):
            async with self._lock.held(request):
                pass
        try:
            route = await self._parts.find_route(request)
        except CallError:
            await self._lock.give_up(request)
            raise
        try:
            async with self._lock.held(request):
                self._parts.clients.store(request.model, route)
            async with self._lock.held(request):
                await _ask_newest(self._parts, request, route)
        except BaseException:
            route.leave()
            raise
        return route

    async def refused(self, request: Request, route: Route) -> None:
        """Give the model up, once for each guarded route."""
        if route.lose_guard():
            await self._lock.give_up(request)


class FinelyLocked:
    """One lock for each model, which routes share and an unload takes alone: LocalAI's loader since 2026-07-19.

    Checks of different clients run side by side. An unload that does not come to its end in 30 s is given up.
    """

    def __init__(self, parts: LoaderParts) -> None:
        self._parts = parts
        self._locks: dict[str, FairLock] = {}

    async def route(self, request: Request) -> Route:
        """Route the request and store its client, then ask the newest client; nobody's leaving ends that check."""
        try:
            async with self._shared(request):
                route = await self._parts.find_route(request)
                self._parts.clients.store(request.model, route)
        except CallError:
            await self._unload(request)
            raise
        if self._parts.check is not None:
            try:
                await outlasting(self._parts.ports.runtime, self._ask(request, route))
            except BaseException:
                route.leave()
                raise
        return route

    async def refused(self, request: Request, route: Route) -> None:
        """Give the model up, once for each guarded route."""
        if route.lose_guard():
            await self._unload(request)

    async def _ask(self, request: Request, route: Route) -> None:
        newest = self._parts.clients.newest(request.model)
        lock = FairLock() if newest is None else newest.lock
        async with (
            self._shared(request),
            Held(self._parts.ports, lock, f"client of {request.model}", request, shares=False),
        ):
            await _ask_newest(self._parts, request, route)

    async def _unload(self, request: Request) -> None:
        with suppress(CallError):
            await self._parts.ports.runtime.within(UNLOAD_LIMIT_NS, self._unload_alone(request))

    async def _unload_alone(self, request: Request) -> None:
        async with Held(self._parts.ports, self._lock(request), f"{request.model}, alone", request, shares=False):
            await self._parts.domain.give_up(request)

    def _shared(self, request: Request) -> Held:
        return Held(self._parts.ports, self._lock(request), f"{request.model}, shared", request, shares=True)

    def _lock(self, request: Request) -> FairLock:
        return self._locks.setdefault(request.model, FairLock())


async def _ask_newest(parts: LoaderParts, request: Request, route: Route) -> None:
    """Ask the model's newest client, which need not be that of the route.

    If nobody is there, or no client is left, the request goes on with its route, unguarded.
    """
    newest = parts.clients.newest(request.model)
    if newest is None:
        route.is_guarded = False
    elif parts.check is not None and await parts.check.ask(request, newest) is Said.REFUSED:
        await parts.domain.give_up(request)
        route.is_guarded = False
