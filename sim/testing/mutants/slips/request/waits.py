"""Slips in who waits for whom at a frontend's locks, in what a failed wait gives up, and in who is woken."""

from dataclasses import replace

from sim.routing.client_cache.cache import DetachedRoutes
from sim.routing.client_cache.failure_domain import BOUNDED, PATIENT, UNLOAD_LIMIT_NS
from sim.routing.client_cache.locks import FairLock, _Waiter
from sim.routing.client_cache.parts import FrontendLock, LoaderParts
from sim.routing.client_cache.sticky import StickyClients
from sim.routing.ports import Runtime
from sim.routing.request import Request
from sim.routing.request_path.outlasting import outlasting
from sim.routing.request_path.route import Route
from sim.routing.units import NS_PER_S
from sim.testing.mutants.mutant import Mutant, in_place_of

_ACQUIRE = "sim.routing.client_cache.locks:FairLock.acquire"
_STICKY = "sim.routing.client_cache.sticky:StickyClients"
_PER_REQUEST = "sim.routing.client_cache.per_request"


async def _in_turn(lock: FairLock, runtime: Runtime, *, shares: bool) -> None:
    waiter = _Waiter(runtime.future(), shares)
    lock._waiting.append(waiter)
    lock._let_in()
    await waiter.turn


@in_place_of(_ACQUIRE, "leaving_by_hand")
async def leaver_keeps_its_turn(self: FairLock, runtime: Runtime, *, shares: bool) -> None:
    """A request that leaves the queue for a lock is handed the lock all the same, and never releases it."""
    await _in_turn(self, runtime, shares=shares)


@in_place_of(_ACQUIRE, "leaving_by_hand")
async def lock_is_lost_if_its_taker_leaves(self: FairLock, runtime: Runtime, *, shares: bool) -> None:
    """A request that leaves at the moment when it is handed the lock takes the lock along."""
    waiter = _Waiter(runtime.future(), shares)
    self._waiting.append(waiter)
    self._let_in()
    try:
        await waiter.turn
    except BaseException:
        if not waiter.has_come:
            self._waiting.remove(waiter)
            self._let_in()
        raise


@in_place_of(_ACQUIRE, "let_in_by_hand")
async def leaver_lets_nobody_in(self: FairLock, runtime: Runtime, *, shares: bool) -> None:
    """Who waits behind one that leaves is let in only when the lock is released next."""
    waiter = _Waiter(runtime.future(), shares)
    self._waiting.append(waiter)
    self._let_in()
    try:
        await waiter.turn
    except BaseException:
        if waiter.has_come:
            self.release(shares=shares)
        else:
            self._waiting.remove(waiter)
        raise


@in_place_of(_ACQUIRE, "shared_locks_by_hand")
async def later_sharer_overtakes(self: FairLock, runtime: Runtime, *, shares: bool) -> None:
    """A request that may share a lock does not wait behind one that wants it alone."""
    if self._is_open(shares):
        self._enter(shares)
        return
    await _in_turn(self, runtime, shares=shares)


@in_place_of("sim.routing.client_cache.parts:FrontendLock.give_up", "hiccup_by_hand")
async def frontend_gives_nothing_up(self: FrontendLock, request: Request) -> None:
    """Where one lock is for all models, no failed route or call gives its model up."""


@in_place_of(f"{_PER_REQUEST}:FinelyLocked._unload", "hiccup_by_hand")
async def fine_lock_gives_nothing_up(self: object, request: Request) -> None:
    """Where each model has its lock, no failed route or call gives the model up."""


@in_place_of("sim.routing.request_path.route:Route.lose_guard", "sticky_by_hand")
def each_failure_gives_up_again(self: Route) -> bool:
    """Every failed call of one client gives the model up, also what has been loaded since the first."""
    return True


@in_place_of(f"{_PER_REQUEST}:_ask_newest", "shared_locks_by_hand")
async def route_of_a_lost_model_is_guarded(parts: LoaderParts, request: Request, route: Route) -> None:
    """A request that finds no client any more gives its model up once more when its call fails."""
    newest = parts.clients.newest(request.model)
    if newest is not None and parts.check is not None:
        await parts.check.ask(request, newest)


unload_has_no_limit = Mutant(
    "unload_has_no_limit",
    f"{_PER_REQUEST}:UNLOAD_LIMIT_NS",
    "An unload may wait ten times as long as it should.",
    10 * UNLOAD_LIMIT_NS,
    ("shared_locks_by_hand",),
)

busy_process_holds_up_its_unload = Mutant(
    "busy_process_holds_up_its_unload",
    "sim.routing.client_cache.build:BOUNDED",
    "An unload waits for a busy process to drop its model, however long that takes.",
    replace(BOUNDED, free_limit_ns=None),
    ("shared_locks_by_hand",),
)


@in_place_of(f"{_STICKY}._end_first", "sticky_by_hand")
def failed_first_request_is_waited_for(self: StickyClients, request: Request) -> None:
    """A first request that fails stays the first: those after it wait for good."""
    self._stored.close(request.model)


@in_place_of(f"{_STICKY}._end_first", "sticky_by_hand")
def waiting_requests_are_not_woken(self: StickyClients, request: Request) -> None:
    """Requests that wait for the first of their model are not told that it has its route."""
    del self._first_routes[request.model]


@in_place_of(f"{_STICKY}._have_one_routed", "sticky_by_hand")
async def nobody_looks_again(self: StickyClients, request: Request) -> None:
    """A request that has found no client is routed, even if one was stored while it waited for the lock."""
    async with self._lock.held(request):
        is_first = request.model not in self._first_routes
        self._first_routes[request.model] = None
    if is_first:
        await self._route_first(request)
    else:
        with self._stored.listening(request.model) as stored:
            await stored.wait()


@in_place_of("sim.routing.client_cache.cache:DetachedRoutes.route", "leaving_by_hand")
async def route_without_client_is_forgotten(self: DetachedRoutes, request: Request) -> Route:
    """A route whose client has left meanwhile keeps its count without anybody's noting it."""
    return await outlasting(self._runtime, self._cache.route(request))


async def _ever_more_seldom(runtime: Runtime, route: Route) -> None:
    pause_ns = 0
    while route.seems_busy:
        pause_ns += 2 * NS_PER_S
        await runtime.sleep(pause_ns)


patience_grows_without_bound = Mutant(
    "patience_grows_without_bound",
    "sim.routing.client_cache.build:PATIENT",
    "An unload that waits for a busy client looks at it ever more seldom, with no longest pause.",
    replace(PATIENT, until_idle=_ever_more_seldom),
    ("patient_by_hand",),
)
