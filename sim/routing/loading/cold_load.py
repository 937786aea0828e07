"""What a request does when no replica can serve it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from sim.routing.loading.load_path import LoadPath
from sim.routing.ports import Journal
from sim.routing.registry import Registry
from sim.routing.request import Request
from sim.routing.request_path.route import Route

WarmPath = Callable[[Request], Awaitable[Route | None]]


class ColdLoad(Protocol):
    """Gets a route where the warm path found none."""

    async def route(self, request: Request, warm_path: WarmPath) -> Route:
        """Return a route to a replica loaded for the request, or by somebody else meanwhile.

        Raises the CallError that stands in the way.
        """


class InlineLoad:
    """Loads the model inside the request that needs it, one load per model at a time over all frontends."""

    __slots__ = ("_journal", "_load_path", "_registry")

    def __init__(self, registry: Registry, journal: Journal, load_path: LoadPath) -> None:
        self._registry = registry
        self._journal = journal
        self._load_path = load_path

    async def route(self, request: Request, warm_path: WarmPath) -> Route:
        """Return a route to a replica that another load has published meanwhile, or to one loaded now.

        Raises NoReplica if no node can take one, and the CallError of an install or load that failed. If the caller
        leaves, the load goes with it and the lock is free again.
        """
        async with self._registry.lock(f"model-load:{request.model}"):
            return await warm_path(request) or await self._load(request)

    async def _load(self, request: Request) -> Route:
        loaded = await self._load_path.load(request.model, in_flight=1, cause="cold_load")
        return Route(loaded.key, loaded.address, loaded.backend, self._registry, self._journal)
