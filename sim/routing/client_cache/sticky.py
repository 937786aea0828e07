"""One client per model and frontend, kept until the model is given up: LocalAI before pull request 9968."""

from sim.routing.client_cache.kept import KeptClient
from sim.routing.client_cache.liveness import Said
from sim.routing.client_cache.parts import FrontendLock, LoaderParts
from sim.routing.errors import CallError
from sim.routing.loading.broadcast import Broadcast
from sim.routing.request import Request
from sim.routing.request_path.route import Route


class StickyClients:
    """Routes the first request of each model, and gives its client to all later ones.

    The client is asked for its health if its last answer is 30 s old, under one lock for all models of the frontend.
    A process that is too busy to answer keeps its client, and the next request asks again.
    """

    def __init__(self, parts: LoaderParts) -> None:
        self._parts = parts
        self._lock = FrontendLock(parts)
        self._first_routes: dict[str, None] = {}
        """Models whose first request is being routed."""
        self._stored = Broadcast(parts.ports.runtime)

    async def route(self, request: Request) -> Route:
        """Return the kept client's route. The first request gets one; those that come meanwhile wait for it."""
        async with self._lock.held(request):
            client = await self._usable(request)
        while client is None:
            await self._have_one_routed(request)
            async with self._lock.held(request):
                client = await self._usable(request)
        return client.route

    async def refused(self, request: Request, route: Route) -> None:
        """Give the model up, once for each client."""
        if route.lose_guard():
            await self._lock.give_up(request)

    async def _usable(self, request: Request) -> KeptClient | None:
        """Return the kept client unless it refuses a health call, which gives the model up."""
        client, check = self._parts.clients.newest(request.model), self._parts.check
        if client is None or check is None or await check.ask(request, client) is not Said.REFUSED:
            return client
        await self._parts.domain.give_up(request)
        return None

    async def _have_one_routed(self, request: Request) -> None:
        """Look again; if there is still no client, wait for the first request of the model, or be that one."""
        async with self._lock.held(request):
            if await self._usable(request) is not None:
                return
            is_first = request.model not in self._first_routes
            self._first_routes[request.model] = None
        if is_first:
            await self._route_first(request)
        else:
            with self._stored.listening(request.model) as stored:
                await stored.wait()

    async def _route_first(self, request: Request) -> None:
        try:
            route = await self._parts.find_route(request)
            async with self._lock.held(request):
                self._parts.clients.store(request.model, route)
        except CallError:
            self._end_first(request)
            await self._lock.give_up(request)
            raise
        except BaseException:
            self._end_first(request)
            raise
        self._end_first(request)

    def _end_first(self, request: Request) -> None:
        del self._first_routes[request.model]
        self._stored.close(request.model)
