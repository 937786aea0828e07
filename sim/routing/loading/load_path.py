"""How a replica is added: choose a place, reserve VRAM, install a process, load the model, publish the row."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import NamedTuple

from sim.routing.errors import CallError, DeadlineExceeded, NoReplica, StaleRevision
from sim.routing.fleet import LoadState, RowState
from sim.routing.loading.eviction import Eviction
from sim.routing.loading.installs import Installs
from sim.routing.loading.load_limits import LoadLimit
from sim.routing.loading.load_retry import RETRY_AT_ONCE, LoadRetry
from sim.routing.loading.placement import PlacementRules, SlotsExhausted, TakenIndexes, place, place_on
from sim.routing.ports import Backend
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.request_path.route import Counting, Destination, Route
from sim.routing.settings import ModelConfig

OnProgress = Callable[[LoadState], None]
"""Is called with each step that the load reaches."""


LoadRows = Collection[RowState]
"""The states, before loaded, in which a row is written during a load."""

ON_SUCCESS: LoadRows = ()
"""None: the slot looks free until the model is loaded. LocalAI's first way."""

LIFECYCLE: LoadRows = (RowState.STAGING, RowState.LOADING)
"""LocalAI's later way."""


class _Place(NamedTuple):
    """Where a replica goes, and the revision that it is loaded for."""

    key: ReplicaKey
    revision: str
    """The model's current one when the place was chosen; empty for none."""


class LoadPath:
    """Adds replicas, for requests, load jobs and the reconciler alike; only free slots keep them apart."""

    __slots__ = ("_counting", "_eviction", "_installs", "_limit", "_load_rows", "_models", "_ports", "_rules", "retry")

    def __init__(
        self,
        counting: Counting,
        models: Mapping[str, ModelConfig],
        rules: PlacementRules,
        eviction: Eviction,
        limit: LoadLimit,
        rows: LoadRows = LIFECYCLE,
        retry: LoadRetry = RETRY_AT_ONCE,
    ) -> None:
        """`models` go by name; nothing is known of others."""
        self._counting = counting
        self._ports = ports = counting.ports
        self._models = models
        self._rules = rules
        self._eviction = eviction
        self._limit = limit
        self._load_rows = rows
        self.retry = retry
        """Which models may be loaded again now."""
        self._installs = Installs(ports.runtime, ports.worker)

    @property
    def taken_indexes(self) -> TakenIndexes:
        """Which replicas take a slot on a node."""
        return self._rules.taken_indexes

    def longest_load_ns(self, model: str) -> int:
        """Return how long LoadModel may take."""
        return self._limit.limit_ns(self._config(model))

    async def load(
        self, model: str, in_flight: int, cause: str, on_progress: OnProgress = lambda _state: None
    ) -> Destination:
        """Load a replica and publish it with this count in flight.

        Raises NoReplica if none can be placed, the CallError of an install or a load that failed, LoadFailed if the
        model has failed lately and is not to be tried again yet, and StaleRevision if it has a new revision by the time
        that a row is written. What was reserved or written by then is taken back, also if the caller leaves.
        """
        self.retry.require_turn(model)
        try:
            loaded = await self._add(model, in_flight, cause, on_progress)
        except (NoReplica, StaleRevision):
            raise  # These say nothing against another try.
        except CallError as error:
            self.retry.failed(model, error)
            raise
        self.retry.loaded(model)
        return loaded

    async def load_for(self, request: Request) -> Route:
        """Load a replica for the request, and return a route to it with a reservation. Raises as `load` does."""
        loaded = await self.load(request.model, in_flight=1, cause="cold_load")
        return Route(self._counting, loaded)

    async def _add(self, model: str, in_flight: int, cause: str, on_progress: OnProgress) -> Destination:
        config = self._config(model)
        key, revision = await self._place(config)
        on_progress(LoadState.INSTALLING)
        address = await self._install(key, config)
        try:
            on_progress(LoadState.STAGING)
            await self._publish(key, address, RowState.STAGING, revision)
            on_progress(LoadState.LOADING)
            await self._publish(key, address, RowState.LOADING, revision)
            backend = self._ports.dialer.dial(key, address)
            await self._load_model(key, config, backend)
            await self._ports.registry.publish(key, address, in_flight, RowState.LOADED, revision)
        except (StaleRevision, GeneratorExit):
            # After a new revision the row is unloading, and the state pass deletes it with its process; the row that
            # has the key now may be another one. And when the world itself has ended there is nothing to take back.
            raise
        except BaseException:
            if self._load_rows:
                self._ports.runtime.spawn(self._remove_row(key), f"give up {key}")
            raise
        self._ports.journal.row_published(key, cause)
        return Destination(key, address, backend)

    def _config(self, model: str) -> ModelConfig:
        return self._models.get(model) or ModelConfig(model)

    async def _place(self, config: ModelConfig) -> _Place:
        fleet = await self._ports.registry.fleet()
        placed = place(fleet, config, self._rules)
        if isinstance(placed, SlotsExhausted):
            evicted = await self._eviction.make_room(placed.evict_from)
            fleet = await self._ports.registry.fleet()
            placed = place_on(fleet, evicted.key.node, config.name)
        return _Place(placed, fleet.revisions.get(config.name, ""))

    async def _install(self, key: ReplicaKey, config: ModelConfig) -> str:
        if not config.vram_bytes:
            return await self._installs.install(key)
        # A node with too little VRAM takes the replica all the same; nothing is reserved then.
        is_reserved = await self._ports.registry.reserve_vram(key.node, config.vram_bytes)
        try:
            return await self._installs.install(key)
        except GeneratorExit:
            raise
        except BaseException:
            if is_reserved:
                self._ports.runtime.spawn(self._release_vram(key, config), f"release {key}")
            raise

    async def _publish(self, key: ReplicaKey, address: str, state: RowState, revision: str) -> None:
        """Write the row in this state on the way to loaded, if there is to be one."""
        if state in self._load_rows:
            await self._ports.registry.publish(key, address, 0, state, revision)

    async def _load_model(self, key: ReplicaKey, config: ModelConfig, backend: Backend) -> None:
        try:
            await self._ports.runtime.within(self._limit.limit_ns(config), backend.load_model(key.model))
        except CallError as error:
            self._ports.journal.load_ended(key, type(error).__name__)
            if isinstance(error, DeadlineExceeded):
                with suppress(CallError):
                    await self._limit.on_late(self._ports, key)
            raise
        self._ports.journal.load_ended(key, "")

    async def _release_vram(self, key: ReplicaKey, config: ModelConfig) -> None:
        with suppress(CallError):
            await self._ports.registry.release_vram(key.node, config.vram_bytes)

    async def _remove_row(self, key: ReplicaKey) -> None:
        # Nobody could pick the row yet, so the journal is not told of its removal.
        with suppress(CallError):
            await self._ports.registry.remove(key)
