"""Slips in how a frontend keeps, checks and gives up its clients, and in how it ends its requests."""

from collections.abc import Iterable
from dataclasses import replace

from sim.routing.client_cache.cache import DetachedRoutes
from sim.routing.client_cache.failure_domain import BOUNDED, WholeModel
from sim.routing.client_cache.kept import KeptClient, KeptClients
from sim.routing.client_cache.liveness import LivenessCheck, Said
from sim.routing.client_cache.locks import FairLock
from sim.routing.client_cache.per_request import CoarselyLocked, FinelyLocked
from sim.routing.client_cache.sticky import StickyClients
from sim.routing.errors import CallError
from sim.routing.fleet import Fleet, ReplicaRow
from sim.routing.frontend import FrontendCore
from sim.routing.outcomes import Outcome
from sim.routing.ports import Runtime
from sim.routing.request import Request
from sim.routing.request_path.route import FindRoute, Route
from sim.routing.units import NS_PER_S
from sim.testing.mutants.mutant import Mutant, in_place_of

_BUILD = "sim.routing.client_cache.build"


class _StickyRoutes:
    """Keeps the first route of each model for good."""

    def __init__(self, find_route: FindRoute) -> None:
        self._find_route = find_route
        self._routes: dict[str, Route] = {}

    async def route(self, request: Request) -> Route:
        if request.model not in self._routes:
            self._routes[request.model] = await self._find_route(request)
        return self._routes[request.model]

    async def refused(self, request: Request, route: Route) -> None:
        self._routes.pop(request.model, None)


sticky_client = Mutant(
    "sticky_client",
    f"{_BUILD}:UncheckedRoutes",
    "A frontend keeps the client of its first request, where it should route each.",
    _StickyRoutes,
    ("picks_by_hand",),
)

checked_client_is_sticky = Mutant(
    "checked_client_is_sticky",
    f"{_BUILD}:CoarselyLocked",
    "The loader at the fix still keeps the client of its first request.",
    StickyClients,
    ("silence_by_hand",),
)

nothing_is_kept = Mutant(
    "nothing_is_kept",
    f"{_BUILD}:StickyClients",
    "The router before the fix routes every request.",
    CoarselyLocked,
    ("clients_by_hand",),
)

_KEPT = "sim.routing.client_cache.kept:KeptClients"


@in_place_of(f"{_KEPT}.forget", "clients_by_hand")
def client_is_never_forgotten(self: KeptClients, model: str) -> None:
    """A model that is given up keeps its client."""


@in_place_of(f"{_KEPT}.store", "silence_by_hand")
def oldest_client_is_kept(self: KeptClients, model: str, route: Route) -> None:
    """A newer client does not take the place of the older one."""
    self._by_model.setdefault(model, KeptClient(route))


_CHECK = "sim.routing.client_cache.liveness"


@in_place_of(f"{_CHECK}:LivenessCheck.ask", "silence_by_hand")
async def check_is_left_out(self: LivenessCheck, request: Request, client: KeptClient) -> Said:
    """The liveness check says "well" without asking."""
    return Said.WELL


busy_client_is_refused = Mutant(
    "busy_client_is_refused",
    f"{_CHECK}:Said",
    "A client that does not answer its check in time counts as one where nobody is there.",
    type("Said", (), {"WELL": Said.WELL, "NOTHING": Said.REFUSED, "REFUSED": Said.REFUSED}),
    ("clients_by_hand",),
)

refused_client_is_busy = Mutant(
    "refused_client_is_busy",
    f"{_CHECK}:Said",
    "A client that refuses its check counts as a busy one.",
    type("Said", (), {"WELL": Said.WELL, "NOTHING": Said.NOTHING, "REFUSED": Said.NOTHING}),
    ("clients_by_hand",),
)

answered_check_is_forgotten = Mutant(
    "answered_check_is_forgotten",
    f"{_CHECK}:RECENTLY_HEALTHY_NS",
    "A client is asked again although it has just answered.",
    0,
    ("clients_by_hand",),
)

answered_check_lasts_for_hours = Mutant(
    "answered_check_lasts_for_hours",
    f"{_CHECK}:RECENTLY_HEALTHY_NS",
    "A client that has answered once is not asked again for 30 minutes: minutes for seconds.",
    1800 * NS_PER_S,
    ("clients_by_hand",),
)

check_takes_a_minute = Mutant(
    "check_takes_a_minute",
    f"{_CHECK}:LIVENESS_LIMIT_NS",
    "A check may take 60 s.",
    60 * NS_PER_S,
    ("clients_by_hand",),
)


@in_place_of("sim.routing.client_cache.per_request:CoarselyLocked.route", "clients_by_hand")
async def lock_is_held_while_routing(self: CoarselyLocked, request: Request) -> Route:
    """The frontend's lock is held while a request is routed."""
    async with self._lock.held(request):
        route = await self._parts.find_route(request)
        self._parts.clients.store(request.model, route)
        newest = self._parts.clients.newest(request.model)
        if newest is not None and self._parts.check is not None:
            await self._parts.check.ask(request, newest)
    return route


@in_place_of("sim.routing.client_cache.per_request:FinelyLocked._lock", "unload_by_hand")
def models_share_a_lock(self: FinelyLocked, request: Request) -> FairLock:
    """The lock of one model is that of every model."""
    return self._locks.setdefault("", FairLock())


@in_place_of("sim.routing.client_cache.locks:FairLock._is_open", "silence_by_hand")
def sharers_wait_for_each_other(self: FairLock, shares: bool) -> bool:
    """A shared lock is exclusive."""
    return not self._is_exclusive and not self._sharers


@in_place_of("sim.routing.client_cache.failure_domain:rows_to_unload", "clients_by_hand")
def unload_stops_at_the_first_node(fleet: Fleet, model: str) -> Iterable[ReplicaRow]:
    """A model is unloaded on one node only, where LocalAI unloads it on all."""
    return fleet.rows_of(model)[:1]


@in_place_of("sim.routing.client_cache.failure_domain:WholeModel.give_up", "clients_by_hand")
async def nothing_is_given_up(self: WholeModel, request: Request) -> None:
    """A replica that has gone costs nothing else, where LocalAI unloads the model."""


async def _at_once(runtime: Runtime, route: Route) -> None:
    return


unload_does_not_wait = Mutant(
    "unload_does_not_wait",
    f"{_BUILD}:BOUNDED",
    "An unload does not wait until the client is idle.",
    replace(BOUNDED, until_idle=_at_once),
    ("unload_by_hand",),
)


@in_place_of("sim.routing.request_path.route:Route.lose_guard", "clients_by_hand")
def client_is_not_guarded(self: Route) -> bool:
    """A refused call is not told to the client cache."""
    return False


@in_place_of("sim.routing.client_cache.cache:DetachedRoutes.route", "silence_by_hand")
async def leaving_cancels_the_route(self: DetachedRoutes, request: Request) -> Route:
    """A client that leaves cancels its pick, probe and load, where nothing should be cancelled."""
    return await self._cache.route(request)


_SERVE = "sim.routing.frontend:FrontendCore.serve"


class _NeverRaised(CallError):
    """An error that no call ends with, in place of one that is asked for."""


rejected_is_failed = Mutant(
    "rejected_is_failed",
    "sim.routing.frontend:StillLoading",
    "A request that is told to come back later is recorded as failed.",
    _NeverRaised,
    ("loads_by_hand",),
)


@in_place_of(_SERVE, "silence_by_hand")
async def failed_call_is_tried_again(self: FrontendCore, request: Request) -> None:
    """A failed call is routed anew, twice, where no version of the router does so."""
    for attempt in range(3):
        try:
            route = await self._find_route(request)
            if attempt == 0:
                self._journal.routed(request, route.to.key)
            await route.predict(request)
        except CallError as error:
            if attempt == 2:
                self._journal.ended(request, Outcome.FAILED, type(error).__name__)
        else:
            self._journal.ended(request, Outcome.COMPLETED, "")
            return


refused_call_is_not_told = Mutant(
    "refused_call_is_not_told",
    "sim.routing.frontend:Unavailable",
    "A call that reached nobody teaches neither the probe cache nor the client cache.",
    _NeverRaised,
    ("clients_by_hand",),
)


@in_place_of("sim.routing.client_cache.failure_domain:rows_to_unload", "unload_half_by_hand")
def half_loaded_node_is_passed_over(fleet: Fleet, model: str) -> Iterable[ReplicaRow]:
    """Rows go only from nodes on which all replicas of the model are loaded: `all` for `any`."""
    rows = fleet.rows_of(model)
    for node in fleet.healthy_nodes():
        there = [row for row in rows if row.key.node == node.name]
        if all(row.is_loaded for row in there):
            yield from there
