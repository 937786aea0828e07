"""A frontend: one process that takes requests, with caches of its own, put together from named strategies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sim.routing.client_cache.build import new_client_cache
from sim.routing.client_cache.cache import ClientCache
from sim.routing.control_plane.background import ONLY_ONE, Background, Loop, Rank
from sim.routing.control_plane.model_edits import ModelEdits
from sim.routing.errors import CallError, StillLoading, Unavailable
from sim.routing.journal import FanOutJournal
from sim.routing.loading.cold_load import ColdLoad
from sim.routing.loading.eviction import Eviction
from sim.routing.loading.inline_load import InlineLoad, UnlockedLoad
from sim.routing.loading.job_load import JobLoad
from sim.routing.loading.load_path import LoadPath
from sim.routing.loading.placement import PlacementRules
from sim.routing.outcomes import Outcome
from sim.routing.policies.best_replica import BestReplica
from sim.routing.policies.choose import Chooser
from sim.routing.policies.feedback import Feedback
from sim.routing.policies.port import PolicyError
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.ports import Clock, FrontendPorts, Journal
from sim.routing.replica_list.replica_list import ReplicaList, with_replica_list
from sim.routing.request import Request
from sim.routing.request_path.call_limit import LimitedDialer
from sim.routing.request_path.health_check import HealthCheck
from sim.routing.request_path.probe_cache import ProbeCache
from sim.routing.request_path.retries import Elsewhere, Retries
from sim.routing.request_path.route import Counting
from sim.routing.request_path.router import Router
from sim.routing.settings import (
    ControlPlaneSettings,
    ControlSettings,
    FrontendSettings,
    ModelConfig,
    ReplicaListSettings,
)
from sim.routing.strategies import (
    DISK,
    FREE_PROCESS,
    LISTED_COUNTS,
    LOAD_LIMITS,
    LOAD_RETRIES,
    LOAD_ROWS,
    MODEL_EDITS,
    ON_FAILED_DECREMENT,
    ON_REGISTRY_ERROR,
    ON_WRONG_MODEL,
    PLACEMENT,
    PRESSURE,
    READINGS,
    RESERVATIONS,
    RETRIES,
    SELECTORS,
    SHARING,
    SLOTS,
)

_COMPLETED = Outcome.COMPLETED  # Python looks the members of an enum up slowly, and every request needs this one.


class FrontendCore:
    """Takes requests from their arrival to their outcome."""

    __slots__ = ("_client_cache", "_find_route", "_journal", "_lists", "_retries", "_taught", "edits", "loops")

    def __init__(
        self,
        client_cache: ClientCache,
        journal: Journal,
        taught: ProbeCache | None,
        edits: ModelEdits,
        loops: Sequence[Loop],
        retries: Retries | None,
        lists: ReplicaList | None,
    ) -> None:
        self.edits = edits
        """Is told when somebody edits the options of a model through this frontend."""
        self.loops = loops
        """Its background loops, still to be started."""
        self._client_cache = client_cache
        self._find_route = client_cache.route
        self._journal = journal
        self._taught = taught
        """The probe cache that calls update: an answered call refreshes the replica's entry, one that reaches nobody
        removes it. None if only probes update it.
        """
        self._retries = retries
        """Which failed calls are made once more; None for none of them."""
        self._lists = lists
        """What it picks from; None for the registry."""

    async def close(self) -> None:
        """Tell the registry what only this frontend knows: the counts that its lists have not written yet."""
        if self._lists is not None:
            await self._lists.write_all()

    async def serve(self, request: Request) -> None:
        """Route the request, have it served, and record how it ended."""
        try:
            route = await self._find_route(request)
        except StillLoading as error:
            self._journal.ended(request, Outcome.REJECTED, type(error).__name__)
            return
        except CallError as error:
            self._journal.ended(request, Outcome.FAILED, type(error).__name__)
            return
        self._journal.routed(request, route.to.key)
        try:
            await route.predict(request)
        except CallError as error:
            if isinstance(error, Unavailable):
                if self._taught is not None:
                    self._taught.invalidate(route.to.place)
                await self._client_cache.refused(request, route)
            if self._retries is not None and self._retries.grant(request, route.to.key):
                self._journal.retried(request, route.to.key, type(error).__name__)
                await self._serve_again(request, self._retries)
                return
            self._journal.ended(request, Outcome.FAILED, type(error).__name__)
            return
        self._journal.ended(request, _COMPLETED, "")
        if self._taught is not None:
            self._taught.refresh(route.to.place)

    async def _serve_again(self, request: Request, retries: Retries) -> None:
        try:
            await self.serve(request)
        finally:
            retries.forget(request)


class ListeningFrontend(FrontendCore):
    """A frontend whose policy is told what becomes of its picks."""

    __slots__ = ("_feedback",)

    def __init__(
        self,
        client_cache: ClientCache,
        journal: Journal,
        taught: ProbeCache | None,
        edits: ModelEdits,
        loops: Sequence[Loop],
        retries: Retries | None,
        lists: ReplicaList | None,
        feedback: Feedback,
    ) -> None:
        super().__init__(client_cache, journal, taught, edits, loops, retries, lists)
        self._feedback = feedback

    async def serve(self, request: Request) -> None:
        """Serve the request, and tell the policy too if its client leaves."""
        try:
            await super().serve(request)
        except (GeneratorExit, PolicyError):
            raise  # The run is over.
        except BaseException:
            self._feedback.left(request)
            raise


NewChooser = Callable[[Clock], Chooser]
"""Makes a frontend's policy, given the frontend's clock."""


def best_replica(_clock: Clock) -> Chooser:
    """Return the policy of a frontend for which nobody chose another one."""
    return BestReplica()


def build_frontend(
    settings: FrontendSettings,
    ports: FrontendPorts,
    models: Mapping[str, ModelConfig],
    control_plane: ControlPlaneSettings | None = None,
    rank: Rank = ONLY_ONE,
    new_chooser: NewChooser = best_replica,
) -> FrontendCore:
    """Put a frontend together on a world's ports. `models` go by name; nothing is known of others.

    It gets the loops of the `control_plane`, or none. Its `rank` among the frontends spreads their ticks.
    `new_chooser` makes its policy.
    """
    chooser = new_chooser(ports.runtime)
    pressure = PRESSURE[settings.control.pressure](chooser) or Pressure(ports.runtime)
    feedback = None if chooser.listener is None else Feedback(chooser.listener, ports.runtime)
    new_retries = RETRIES[settings.retry]
    retries = None if new_retries is None else new_retries()
    if retries is not None:
        chooser = Elsewhere(chooser, retries)
    ports = _ports_of(settings, ports, [listener for listener in (feedback, retries) if listener is not None])
    lists = _replica_list(settings.replica_list, ports)
    if lists is not None:
        ports = with_replica_list(ports, lists)
    counting = Counting(
        ports,
        RESERVATIONS[settings.reservation],
        ON_REGISTRY_ERROR[settings.on_registry_error],
        ON_WRONG_MODEL[settings.on_wrong_model],
        ON_FAILED_DECREMENT[settings.on_failed_decrement],
    )
    load_path = _load_path(settings.control, counting, models)
    background = Background(settings.control, ports, models, load_path, rank, pressure)
    probe = settings.probe
    probe_cache = ProbeCache(ports.runtime, probe.ttl_ns, SHARING[probe.sharing](ports.runtime))
    router = Router(
        ports,
        counting,
        probe_cache=probe_cache,
        health_check=HealthCheck(ports, probe.timeout_ns),
        reading=READINGS[probe.on_timeout],
        cold_load=_cold_load(settings.control, ports, load_path),
        selectors={name: model.selector for name, model in models.items() if model.selector},
        scope=SELECTORS[settings.selector],
        chooser=chooser,
    )
    taught = probe_cache if probe.refreshed_by == "calls" else None
    loops = tuple(background.loops(control_plane)) if control_plane is not None else ()
    client_cache = new_client_cache(settings, ports, router.route)
    edits = MODEL_EDITS[settings.control.edits](ports)
    if feedback is not None:
        return ListeningFrontend(client_cache, ports.journal, taught, edits, loops, retries, lists, feedback)
    return FrontendCore(client_cache, ports.journal, taught, edits, loops, retries, lists)


def _ports_of(settings: FrontendSettings, ports: FrontendPorts, listeners: Sequence[object]) -> FrontendPorts:
    """Return the ports with the frontend's limit on calls and those who listen to its journal."""
    if listeners:
        ports = replace(ports, journal=FanOutJournal([ports.journal, *listeners]))
    if settings.call_limit_ns is not None:
        ports = replace(ports, dialer=LimitedDialer(ports.dialer, ports.runtime, settings.call_limit_ns))
    return ports


def _replica_list(settings: ReplicaListSettings | None, ports: FrontendPorts) -> ReplicaList | None:
    return None if settings is None else ReplicaList(ports, settings.refresh_ns, LISTED_COUNTS[settings.counts])


def _load_path(settings: ControlSettings, counting: Counting, models: Mapping[str, ModelConfig]) -> LoadPath:
    eviction = Eviction(counting.ports, models, FREE_PROCESS[settings.release])
    return LoadPath(
        counting,
        models,
        _placement_rules(settings),
        eviction,
        LOAD_LIMITS[settings.load_limit],
        LOAD_ROWS[settings.load_rows],
        LOAD_RETRIES[settings.load_retry](counting.ports.runtime),
    )


def _placement_rules(settings: ControlSettings) -> PlacementRules:
    rules = PLACEMENT[settings.placement]
    return replace(rules, taken_indexes=SLOTS[settings.slots], needed_disk_bytes=DISK[settings.disk])


def _cold_load(settings: ControlSettings, ports: FrontendPorts, load_path: LoadPath) -> ColdLoad:
    if settings.loads == "unlocked":
        return UnlockedLoad(load_path)
    if settings.loads == "inline":
        return InlineLoad(ports.registry, load_path)
    return JobLoad(ports, load_path, settings.load_wait_ns)
