"""Slips in how replicas are probed and how long an answer is believed: cache, shared calls, health check."""

from sim.routing.errors import CallError, DeadlineExceeded
from sim.routing.outcomes import Answer, AnswerSource, ProbeOutcome
from sim.routing.ports import Backend, FrontendPorts, Probe
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.request_path.health_check import HealthCheck
from sim.routing.request_path.probe_cache import ProbeCache
from sim.routing.request_path.route import Destination, Route
from sim.routing.request_path.router import Router
from sim.routing.request_path.singleflight import DetachedFlight, FlightFailed, LeaderOwnedFlight, SharedCall, T
from sim.routing.strategies import READINGS, SHARING
from sim.testing.mutants.mutant import Mutant, in_place_of

_CACHE = "sim.routing.request_path.probe_cache:ProbeCache"


@in_place_of(f"{_CACHE}.remembered", "silence_by_hand")
def ttl_includes_its_end(self: ProbeCache, key: str) -> Answer | None:
    """A success is believed at the very end of its TTL too: `<=` for `<`."""
    succeeded_ns = self._succeeded_ns.get(key)
    if succeeded_ns is None or self._clock.now_ns() - succeeded_ns > self._ttl_ns:
        return None
    return Answer(alive=True, source=AnswerSource.FRESH)


@in_place_of(f"{_CACHE}.remembered", "silence_by_hand")
def success_never_expires(self: ProbeCache, key: str) -> Answer | None:
    """A replica that has answered once is never probed again."""
    return Answer(alive=True, source=AnswerSource.FRESH) if key in self._succeeded_ns else None


@in_place_of(f"{_CACHE}.remembered", "silence_by_hand")
def cache_is_not_read(self: ProbeCache, key: str) -> Answer | None:
    """Every pick waits for a probe, whatever is remembered."""
    return None


@in_place_of(f"{_CACHE}._probe", "silence_by_hand")
async def success_is_not_remembered(self: ProbeCache, key: str, probe: Probe) -> bool:
    """A probe's success is not written into the cache."""
    return self.is_fresh(key) or await probe()


@in_place_of(f"{_CACHE}._probe", "unload_by_hand")
async def failure_is_cached(self: ProbeCache, key: str, probe: Probe) -> bool:
    """A failed probe is remembered like one that succeeded."""
    alive = await probe()
    self._succeeded_ns[key] = self._clock.now_ns()
    return alive


@in_place_of(f"{_CACHE}.invalidate", "clients_by_hand")
def invalidate_is_forgotten(self: ProbeCache, key: str) -> None:
    """A refused call leaves the replica's entry in the cache."""


@in_place_of(f"{_CACHE}.refresh", "silence_by_hand")
def calls_teach_nothing(self: ProbeCache, key: str) -> None:
    """An answered call does not renew the replica's entry."""


@in_place_of(f"{_CACHE}.check", "silence_by_hand")
async def broken_flight_counts_as_alive(self: ProbeCache, key: str, probe: Probe) -> Answer:
    """A shared probe that was cut short says "alive" to those who joined."""
    remembered = self.remembered(key)
    if remembered is not None:
        return remembered
    source = AnswerSource.SHARED if self._flights.is_under_way(key) else AnswerSource.PROBED
    try:
        alive = await self._flights.do(key, lambda: self._probe(key, probe))
    except FlightFailed:
        alive = True
    return Answer(alive, source)


async def _alone(self: object, key: str, call: SharedCall[T]) -> T:
    return await call()


probe_without_singleflight = Mutant(
    "probe_without_singleflight",
    "sim.routing.request_path.singleflight:DetachedFlight.do",
    "Callers that ask for the same probe at the same time each send one.",
    _alone,
    ("silence_by_hand",),
)

leader_flight_shares_nothing = Mutant(
    "leader_flight_shares_nothing",
    "sim.routing.request_path.singleflight:LeaderOwnedFlight.do",
    "The leader's probe is not shared: followers send their own.",
    _alone,
    ("silence_by_hand",),
)

leader_does_not_own = Mutant(
    "leader_does_not_own",
    "sim.routing.frontend:SHARING",
    "A probe that belongs to its first caller goes on when that caller leaves.",
    {**SHARING, "leader_owned": DetachedFlight},
    ("silence_by_hand",),
)

detached_flight_is_owned = Mutant(
    "detached_flight_is_owned",
    "sim.routing.frontend:SHARING",
    "A detached probe ends with its first caller all the same.",
    {**SHARING, "detached": LeaderOwnedFlight},
    ("silence_by_hand",),
)

refusal_is_busy = Mutant(
    "refusal_is_busy",
    "sim.routing.frontend:READINGS",
    "A replica that refuses a probe is taken for a busy one and keeps its row.",
    {**READINGS, "keep_row": dict.fromkeys(ProbeOutcome, True)},
    ("figures_by_hand",),
)

busy_is_dead = Mutant(
    "busy_is_dead",
    "sim.routing.frontend:READINGS",
    "A replica that is too busy to answer a probe loses its row, where it should keep it.",
    {**READINGS, "keep_row": READINGS["remove_row"]},
    ("silence_by_hand",),
)

timeout_is_fine = Mutant(
    "timeout_is_fine",
    "sim.routing.frontend:READINGS",
    "A replica that does not answer a probe in time keeps its row, where it should lose it.",
    {**READINGS, "remove_row": READINGS["keep_row"]},
    ("silence_by_hand",),
)


@in_place_of("sim.routing.request_path.health_check:HealthCheck.__init__", "silence_by_hand")
def probe_waits_ten_times_as_long(self: HealthCheck, ports: FrontendPorts, limit_ns: int) -> None:
    """A probe's limit is ten times too long, as by a wrong unit."""
    self._runtime = ports.runtime
    self._journal = ports.journal
    self._limit_ns = 10 * limit_ns


@in_place_of("sim.routing.request_path.health_check:HealthCheck.ask", "silence_by_hand")
async def probe_has_no_limit(
    self: HealthCheck, request: Request | None, key: ReplicaKey, address: str, backend: Backend
) -> ProbeOutcome:
    """A probe waits for its answer as long as it takes."""
    started_ns = self._runtime.now_ns()
    try:
        await backend.health()
    except CallError:
        outcome = ProbeOutcome.FAILED
    else:
        outcome = ProbeOutcome.OK
    self._journal.probed(request, key, address, started_ns, outcome)
    return outcome


@in_place_of("sim.routing.request_path.health_check:HealthCheck.ask", "silence_by_hand")
async def refusal_is_a_timeout(
    self: HealthCheck, request: Request | None, key: ReplicaKey, address: str, backend: Backend
) -> ProbeOutcome:
    """Every failed probe is recorded and read as one without an answer."""
    started_ns = self._runtime.now_ns()
    try:
        await self._runtime.within(self._limit_ns, backend.health())
    except (CallError, DeadlineExceeded):
        outcome = ProbeOutcome.TIMEOUT
    else:
        outcome = ProbeOutcome.OK
    self._journal.probed(request, key, address, started_ns, outcome)
    return outcome


@in_place_of("sim.routing.request_path.route:Destination.__init__", "clients_by_hand")
def probe_key_is_the_node(self: Destination, key: ReplicaKey, address: str, backend: Backend) -> None:
    """The probe cache knows a replica by its node alone, so that one process answers for another."""
    self.key = key
    self.address = address
    self.backend = backend
    self.place = key.node


async def _seems_alive(router: Router, request: Request, route: Route) -> bool:
    async def probe() -> bool:
        return router._reading[await router._health_check.ask(request, to.key, to.address, to.backend)]

    to = route.to
    answer = await router._probe_cache.check(to.place, probe)
    router._journal.vouched(request, answer)
    return answer.alive


_ANSWERS = "sim.routing.request_path.router:Router._answers"


@in_place_of(_ANSWERS, "silence_by_hand")
async def dead_row_stays(self: Router, request: Request, route: Route) -> bool:
    """A row whose probe failed stays, and is picked again."""
    is_alive = await _seems_alive(self, request, route)
    if not is_alive:
        route.release()
    return is_alive


@in_place_of(_ANSWERS, "silence_by_hand")
async def probe_failure_keeps_its_count(self: Router, request: Request, route: Route) -> bool:
    """The reservation is not given back when the probe fails; the row should go along with it."""
    is_alive = await _seems_alive(self, request, route)
    if not is_alive:
        await route.remove_row(request, "probe_failed")
    return is_alive


@in_place_of(_ANSWERS, "silence_by_hand")
async def probe_is_not_asked(self: Router, request: Request, route: Route) -> bool:
    """No replica is ever probed on the way of a request."""
    return True
