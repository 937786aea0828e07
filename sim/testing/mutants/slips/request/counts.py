"""Slips in how a row's in-flight count follows its requests."""

from sim.routing.client_cache.cache import UncheckedRoutes
from sim.routing.errors import CallError
from sim.routing.fleet import Fleet, ReplicaRow
from sim.routing.loading.load_path import LoadPath
from sim.routing.ports import FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.request_path.decrements import IGNORED, RETRIED, Decrements, _take_all
from sim.routing.request_path.route import REQUEST_SCOPE, Route
from sim.routing.strategies import ON_FAILED_DECREMENT, ON_WRONG_MODEL, RESERVATIONS
from sim.simulated.registry.registry import SimulatedRegistry
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import Row
from sim.testing.mutants.mutant import Mutant, in_place_of

_ROUTE = "sim.routing.request_path.route:Route"


@in_place_of(f"{_ROUTE}._taken_back", "picks_by_hand")
def reservation_is_never_taken_back(self: Route) -> int:
    """The end of the first call takes back its own 1 only, not that of the pick."""
    return 1


@in_place_of(f"{_ROUTE}._taken_back", "silence_by_hand")
def reservation_is_taken_back_by_each_call(self: Route) -> int:
    """Every call on a kept client takes the pick's 1 back once more."""
    return 2


@in_place_of(f"{_ROUTE}.release", "silence_by_hand")
def reservation_is_released_twice(self: Route) -> None:
    """A release does not note that it has happened."""
    self._counting.decrements.give_back(self._counting.ports, self.to.key, 1)


@in_place_of(f"{_ROUTE}.leave", "silence_by_hand")
def leaving_is_not_noticed(self: Route) -> None:
    """A request that leaves before its call does nothing about its reservation."""


@in_place_of(f"{_ROUTE}._end_uncounted", "registry_by_hand")
def uncounted_call_gives_its_count_back(self: Route, is_uncertain: bool) -> None:
    """A call that found no row when it started takes its reservation from the row that is there at its end."""
    self.release()


superseded_route_keeps_its_count = Mutant(
    "superseded_route_keeps_its_count",
    "sim.routing.client_cache.build:SupersededReservations",
    "A new route does not give back what the one before it holds.",
    UncheckedRoutes,
    ("reservation_never_released",),
)

request_scope_keeps_its_count = Mutant(
    "request_scope_keeps_its_count",
    "sim.routing.frontend:RESERVATIONS",
    "A request that leaves before its call leaves its reservation behind, where it should release it.",
    {**RESERVATIONS, "request_scope": RESERVATIONS["first_call"]},
    ("silence_by_hand",),
)

first_call_releases_at_once = Mutant(
    "first_call_releases_at_once",
    "sim.routing.frontend:RESERVATIONS",
    "A request that leaves before its call releases its reservation, where LocalAI left it behind.",
    {**RESERVATIONS, "first_call": REQUEST_SCOPE},
    ("silence_by_hand",),
)

failed_decrement_is_not_repeated = Mutant(
    "failed_decrement_is_not_repeated",
    "sim.routing.frontend:ON_FAILED_DECREMENT",
    "A count that the registry did not take is not given back later.",
    {**ON_FAILED_DECREMENT, "retry": IGNORED},
    ("registry_by_hand",),
)


def _retry_always(ports: FrontendPorts, key: ReplicaKey, count: int, _error: CallError) -> None:
    ports.runtime.spawn(_take_all(ports, key, count), f"give back {key} again")


doubtful_decrement_is_repeated = Mutant(
    "doubtful_decrement_is_repeated",
    "sim.routing.frontend:ON_FAILED_DECREMENT",
    "A count is given back again although the registry may have taken it.",
    {**ON_FAILED_DECREMENT, "retry": Decrements(RETRIED.give_back, _retry_always)},
    ("registry_by_hand",),
)

wrong_model_keeps_its_row = Mutant(
    "wrong_model_keeps_its_row",
    "sim.routing.frontend:ON_WRONG_MODEL",
    "A process that turns out not to hold the model keeps its row.",
    {**ON_WRONG_MODEL, "remove_row": ON_WRONG_MODEL["keep_row"]},
    ("clients_by_hand",),
)


@in_place_of("sim.simulated.registry.registry:SimulatedRegistry.give_back", "silence_by_hand")
def count_of_a_left_client_stays(self: SimulatedRegistry, key: ReplicaKey, count: int) -> None:
    """Nothing is given back where nobody waits for it: after a cancelled call and at a release."""


@in_place_of("sim.simulated.registry.registry:SimulatedRegistry.decrement", "picks_by_hand")
async def decrement_is_missing(self: SimulatedRegistry, key: ReplicaKey, count: int) -> None:
    """A call that ends does not lower the count of its row."""


@in_place_of("sim.simulated.registry.registry:SimulatedRegistry.increment", "picks_by_hand")
async def increment_is_missing(self: SimulatedRegistry, key: ReplicaKey) -> bool:
    """A call that starts does not raise the count of its row, but its end lowers it."""
    return key in self._rows


_TABLE = "sim.simulated.registry.replica_table:ReplicaTable"


@in_place_of(f"{_TABLE}.decrement", "silence_by_hand")
def count_falls_below_zero(self: ReplicaTable, key: ReplicaKey, count: int) -> None:
    """The decrement has no floor."""
    row = self.rows.get(key)
    if row is None:
        self.leak(key, count)
    else:
        row.in_flight -= count


@in_place_of(f"{_TABLE}.decrement", "silence_by_hand")
def only_one_is_taken(self: ReplicaTable, key: ReplicaKey, count: int) -> None:
    """However much is given back at once, the count falls by 1."""
    row = self.rows.get(key)
    if row is None:
        self.leak(key, count)
    else:
        row.in_flight = max(0, row.in_flight - 1)


@in_place_of(f"{_TABLE}.clear_in_flight", "reaping_by_hand")
def leaked_count_falls_by_one(self: ReplicaTable, row: Row) -> None:
    """A leaked count is not cleared: only 1 is taken from it."""
    row.in_flight = max(0, row.in_flight - 1)


@in_place_of("sim.routing.loading.load_path:LoadPath.load_for", "silence_by_hand")
async def loaded_row_forgets_its_request(self: LoadPath, request: Request) -> Route:
    """The row of a replica that was loaded for a request does not count that request."""
    return Route(self._counting, await self.load(request.model, in_flight=0, cause="cold_load"))


@in_place_of("sim.routing.control_plane.row_inspector:suspected_leaks", "reaping_by_hand")
def leak_is_judged_by_the_update(fleet: Fleet, before_ns: int) -> list[ReplicaRow]:
    """A count is suspected of a leak by the time of the row's last update, which every confirmation renews."""
    return [row for row in fleet.rows if row.is_loaded and row.in_flight and row.updated_ns < before_ns]


@in_place_of("sim.routing.control_plane.row_inspector:suspected_leaks", "scaling_by_hand")
def leak_is_judged_at_once(fleet: Fleet, before_ns: int) -> list[ReplicaRow]:
    """Every count is suspected of a leak, however lately its row was used."""
    return [row for row in fleet.rows if row.is_loaded and row.in_flight]


@in_place_of(f"{_ROUTE}._end_uncounted", "registry_by_hand")
def doubtful_call_keeps_its_reservation(self: Route, is_uncertain: bool) -> None:
    """A call that the registry did not count leaves what its pick has counted on the row."""
    self.leave_behind()
