"""The cold load inside the request that needs it: under the model's lock, LocalAI's first way, or under none."""

from sim.routing.loading.cold_load import WarmPath, load_lock
from sim.routing.loading.load_path import LoadPath
from sim.routing.registry import Registry
from sim.routing.request import Request
from sim.routing.request_path.route import Route


class UnlockedLoad:
    """Loads the model inside the request that needs it, whoever else does so: LocalAI's way without a database."""

    __slots__ = ("_load_path",)

    def __init__(self, load_path: LoadPath) -> None:
        self._load_path = load_path

    async def route(self, request: Request, warm_path: WarmPath) -> Route:
        """Look once more for a replica, then load one. Raises as `InlineLoad` does."""
        return await warm_path(request) or await self._load_path.load_for(request)


class InlineLoad:
    """Loads the model inside the request that needs it: one load per model at a time, over all frontends."""

    __slots__ = ("_load_path", "_registry")

    def __init__(self, registry: Registry, load_path: LoadPath) -> None:
        self._registry = registry
        self._load_path = load_path

    async def route(self, request: Request, warm_path: WarmPath) -> Route:
        """Return a route to a replica that another request has loaded meanwhile, or to one loaded now.

        Raises NoReplica if no node can take one, and the CallError of an install or load that failed. If the caller
        leaves, its load is cancelled and the lock released.
        """
        async with self._registry.lock(load_lock(request.model)):
            return await warm_path(request) or await self._load_path.load_for(request)
