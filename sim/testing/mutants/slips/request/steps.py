"""Slips at single steps of a request: what one costs that fails, what counts as a use, and how old an answer is."""

from sim.routing.client_cache.cache import DetachedRoutes, SupersededReservations
from sim.routing.errors import CallError, NoMatchingNode
from sim.routing.outcomes import Answer
from sim.routing.ports import Backend, FrontendPorts, Probe
from sim.routing.proxy import with_calls
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.request_path.call_limit import LimitedDialer
from sim.routing.request_path.decrements import PAUSES_NS, _take_one
from sim.routing.request_path.probe_cache import _FRESH, ProbeCache
from sim.routing.request_path.route import Route
from sim.routing.request_path.router import Router
from sim.routing.request_path.singleflight import LeaderOwnedFlight, SharedCall, T
from sim.routing.strategies import ON_REGISTRY_ERROR
from sim.simulated.registry.registry import SimulatedRegistry
from sim.simulated.registry.replica_table import ReplicaTable
from sim.testing.mutants.mutant import Mutant, in_place_of

_DECREMENTS = "sim.routing.request_path.decrements"
_CACHE = "sim.routing.request_path.probe_cache:ProbeCache"


def _fails(error: CallError, _route: Route) -> None:
    raise error


failed_step_keeps_its_count = Mutant(
    "failed_step_keeps_its_count",
    "sim.routing.frontend:ON_REGISTRY_ERROR",
    "A request that fails with the registry's error leaves the count of its pick on the row.",
    {**ON_REGISTRY_ERROR, "fail_closed": _fails},
    ("unanswered_by_hand",),
)


async def _has_labels(router: Router, route: Route, if_nobody: bool, if_unread: bool) -> bool:
    try:
        is_among = route.to.key.node in await router._candidates(route.to.key.model)
    except NoMatchingNode:
        is_among = if_nobody
    except CallError:
        is_among = if_unread
    if not is_among:
        route.release()
    return is_among


@in_place_of("sim.routing.request_path.router:Router._has_labels", "unanswered_by_hand")
async def unread_labels_stand_in_the_way(self: Router, route: Route) -> bool:
    """A route is given up if the labels of its node cannot be read once more."""
    return await _has_labels(self, route, if_nobody=False, if_unread=False)


@in_place_of("sim.routing.request_path.router:Router._has_labels", "unanswered_by_hand")
async def last_node_keeps_its_requests(self: Router, route: Route) -> bool:
    """A route to a node that is out of service goes on if no other node matches either."""
    return await _has_labels(self, route, if_nobody=True, if_unread=True)


@in_place_of("sim.routing.request_path.router:Router._has_labels", "unanswered_by_hand")
async def given_up_route_keeps_its_count(self: Router, route: Route) -> bool:
    """A route that is given up for its labels leaves its count on the row."""
    try:
        return route.to.key.node in await self._candidates(route.to.key.model)
    except NoMatchingNode:
        return False
    except CallError:
        return True


one_attempt_too_few = Mutant(
    "one_attempt_too_few",
    f"{_DECREMENTS}:PAUSES_NS",
    "A count is given back in nine attempts, not ten.",
    PAUSES_NS[:-1],
    ("unanswered_by_hand",),
)


@in_place_of(f"{_DECREMENTS}:_take_all", "unanswered_by_hand")
async def one_of_two_counts_is_given_back(ports: FrontendPorts, key: ReplicaKey, count: int) -> None:
    """Of the two counts of a call only one is tried again."""
    await _take_one(ports, key)


@in_place_of(f"{_DECREMENTS}:_take_one", "unanswered_by_hand")
async def doubtful_attempt_is_repeated(ports: FrontendPorts, key: ReplicaKey) -> None:
    """An attempt that may have given the count back is followed by another."""
    for pause_ns in PAUSES_NS:
        await ports.runtime.sleep(pause_ns)
        ports.journal.left_behind(key, -1)
        try:
            await ports.registry.decrement(key, 1)
        except CallError:
            continue
        return


@in_place_of("sim.simulated.registry.replica_table:ReplicaTable.increment", "uses_by_hand")
def call_is_no_use(self: ReplicaTable, key: ReplicaKey, wall_ns: int) -> bool:
    """The start of a call does not touch the row."""
    row = self.rows.get(key)
    if row is None:
        return False
    row.in_flight += 1
    return True


@in_place_of("sim.simulated.registry.registry:SimulatedRegistry.touch", "uses_by_hand")
async def touch_is_no_use(self: SimulatedRegistry, key: ReplicaKey) -> None:
    """A touch takes its time, and leaves the row as it is."""
    self.transactions += 1
    await self._runtime.sleep(self._transaction_ns)


@in_place_of(f"{_CACHE}.remembered", "clocks_by_hand")
def age_goes_by_the_wall_clock(self: ProbeCache, key: str) -> Answer | None:
    """The age of an answer is taken by a clock that may be set."""
    succeeded_ns = self._succeeded_ns.get(key)
    if succeeded_ns is None or self._clock.wall_ns() - succeeded_ns >= self._ttl_ns:
        return None
    return _FRESH


@in_place_of(f"{_CACHE}._probe", "doubts_by_hand")
async def answer_counts_from_its_question(self: ProbeCache, key: str, probe: Probe) -> bool:
    """An answer is as old as its probe."""
    asked_ns = self._clock.now_ns()
    alive = await probe()
    if alive:
        self._succeeded_ns[key] = asked_ns
    return alive


@in_place_of(f"{_CACHE}._probe", "doubts_by_hand")
async def answer_outdoes_a_failed_call(self: ProbeCache, key: str, probe: Probe) -> bool:
    """An answer is remembered although a call has failed while the probe was under way."""
    alive = await probe()
    if alive:
        self._succeeded_ns[key] = self._clock.now_ns()
    return alive


@in_place_of("sim.routing.request_path.singleflight:LeaderOwnedFlight.do", "doubts_by_hand")
async def joiner_asks_again(self: LeaderOwnedFlight, key: str, call: SharedCall[T]) -> T:
    """Whoever has joined a probe sends one of its own afterwards."""
    flight = self._under_way.get(key)
    if flight is not None:
        await flight.wait(flight.seat(key, self._runtime.future()))
    return await self._run(key, self._take_off(key), call)


@in_place_of("sim.routing.client_cache.cache:SupersededReservations.route", "superseded_by_hand")
async def older_route_is_looked_up_too_early(self: SupersededReservations, request: Request) -> Route:
    """Of two routes that are found side by side, neither takes back the other one's pick: read before an await."""
    older = self._newest.get(request.model)
    route = self._newest[request.model] = await self._find_route(request)
    if older is not None:
        older.release()
    return route


@in_place_of("sim.routing.client_cache.cache:DetachedRoutes.refused", "absent_by_hand")
async def unload_ends_with_its_client(self: DetachedRoutes, request: Request, route: Route) -> None:
    """The unload that follows a failed call stops if the client leaves meanwhile."""
    await self._cache.refused(request, route)


@in_place_of("sim.routing.request_path.call_limit:LimitedDialer.dial", "elsewhere_by_hand")
def health_calls_have_the_limit_of_calls(self: LimitedDialer, key: ReplicaKey, address: str) -> Backend:
    """A probe may take no longer than a call of a request."""
    backend = self._dialer.dial(key, address)

    async def predict(request: Request) -> None:
        await self._runtime.within(self._limit_ns, backend.predict(request))

    async def health() -> None:
        await self._runtime.within(self._limit_ns, backend.health())

    return with_calls(backend, Backend, predict=predict, health=health)
