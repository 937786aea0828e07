"""What happens when no replica can serve: place one, install it, load the model, publish the row."""

from collections.abc import Awaitable, Callable, Mapping

from sim.routing.errors import CallError
from sim.routing.in_flight import Route
from sim.routing.placement import place
from sim.routing.ports import Backend, Dialer, Journal, Registry, Runtime, WorkerControl
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request

SECOND_NS = 1_000_000_000

INSTALL_LIMIT_NS = 15 * 60 * SECOND_NS
"""How long a worker may take to answer an install."""

LOAD_LIMIT_NS = 5 * 60 * SECOND_NS
"""How long LoadModel may take, whatever the size of the model."""

WarmPath = Callable[[Request], Awaitable[Route | None]]


class ColdLoad:
    """Loads a model inside the request that needs it, one load per model at a time over all frontends."""

    __slots__ = ("_dialer", "_journal", "_needed_vram_bytes", "_registry", "_runtime", "_worker")

    def __init__(
        self,
        runtime: Runtime,
        registry: Registry,
        dialer: Dialer,
        worker: WorkerControl,
        journal: Journal,
        needed_vram_bytes: Mapping[str, int],
    ) -> None:
        self._runtime = runtime
        self._registry = registry
        self._dialer = dialer
        self._worker = worker
        self._journal = journal
        self._needed_vram_bytes = needed_vram_bytes

    async def route(self, request: Request, warm_path: WarmPath) -> Route:
        """Return a route to a replica that another load has published meanwhile, or to one loaded now.

        Raises NoReplica if no node can take one, and the CallError of an install or load that failed. If the caller
        leaves, the load goes with it and the lock is free again.
        """
        async with self._registry.lock(f"model-load:{request.model}"):
            return await warm_path(request) or await self._load(request)

    async def _load(self, request: Request) -> Route:
        nodes = await self._registry.nodes(request.model)
        key = place(nodes, request.model, self._needed_vram_bytes.get(request.model, 0))
        address = await self._runtime.within(INSTALL_LIMIT_NS, self._worker.install(key))
        backend = self._dialer.dial(key, address)
        await self._load_model(key, backend)
        await self._registry.publish(key, address, in_flight=1)
        self._journal.row_published(key, "cold_load")
        return Route(key, address, backend, self._registry, self._journal)

    async def _load_model(self, key: ReplicaKey, backend: Backend) -> None:
        try:
            await self._runtime.within(LOAD_LIMIT_NS, backend.load_model(key.model))
        except CallError as error:
            self._journal.load_ended(key, type(error).__name__)
            raise
        self._journal.load_ended(key, "")
