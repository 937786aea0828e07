"""The client cache: the port that a frontend finds its routes through, and what may be put around one."""

from typing import Protocol

from sim.routing.ports import Runtime
from sim.routing.request import Request
from sim.routing.request_path.outlasting import outlasting
from sim.routing.request_path.route import FindRoute, Route


class ClientCache(Protocol):
    """Finds the routes of one frontend."""

    async def route(self, request: Request) -> Route:
        """Return a way to a replica; raises a CallError if there is none and none can be loaded."""

    async def refused(self, request: Request, route: Route) -> None:
        """Hear that nobody answered the request's call, or that the process ended during it."""


class UncheckedRoutes:
    """Routes every request, and keeps and checks nothing. Repaired."""

    __slots__ = ("route",)

    def __init__(self, find_route: FindRoute) -> None:
        self.route = find_route

    async def refused(self, request: Request, route: Route) -> None:
        """Do nothing: the next probe finds out."""


class DetachedRoutes:
    """Finds routes in a context that outlasts the clients: one that leaves cancels neither a probe nor a load."""

    __slots__ = ("_cache", "_runtime")

    def __init__(self, runtime: Runtime, cache: ClientCache) -> None:
        self._runtime = runtime
        self._cache = cache

    async def route(self, request: Request) -> Route:
        """Return a way to a replica. If the client leaves, all steps up to its call are still made."""
        return await outlasting(self._runtime, self._cache.route(request), Route.leave)

    async def refused(self, request: Request, route: Route) -> None:
        """Tell the cache, even if the client leaves while it is told."""
        await outlasting(self._runtime, self._cache.refused(request, route))


class SupersededReservations:
    """Has each new route of a model give back what the one before it still holds: LocalAI's later adapter."""

    __slots__ = ("_find_route", "_newest")

    def __init__(self, find_route: FindRoute) -> None:
        self._find_route = find_route
        self._newest: dict[str, Route] = {}

    async def route(self, request: Request) -> Route:
        """Route the request; the older route may still be in use."""
        route = await self._find_route(request)
        older = self._newest.get(request.model)
        self._newest[request.model] = route
        if older is not None:
            older.release()
        return route
