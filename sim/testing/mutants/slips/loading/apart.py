"""Slips that mix up what belongs to one of several loads: their promised memory, pauses, jobs and rounds."""

from collections.abc import Callable, Sequence

from sim.routing.errors import CallError, LoadFailed, NoReplica
from sim.routing.fleet import Fleet, LoadJob, Node, ReplicaRow
from sim.routing.loading.broadcast import Broadcast
from sim.routing.loading.cold_load import WarmPath
from sim.routing.loading.job_load import ROUNDS, JobLoad
from sim.routing.loading.load_owner import HEARTBEAT_NS, LoadOwner
from sim.routing.loading.load_path import LoadPath, OnProgress
from sim.routing.loading.load_retry import RetryWithBackoff
from sim.routing.loading.placement import _node_order
from sim.routing.request import Request
from sim.routing.request_path.route import Destination, Route
from sim.routing.settings import ModelConfig
from sim.simulated.registry.fleet_registry import SimulatedFleetRegistry
from sim.testing.mutants.mutant import Mutant, in_place_of

_FLEET_REGISTRY = "sim.simulated.registry.fleet_registry:SimulatedFleetRegistry"
_JOBS = "sim.routing.loading.job_load"
_RETRY = "sim.routing.loading.load_retry:RetryWithBackoff"


@in_place_of(f"{_FLEET_REGISTRY}.reserve_vram", "reserved_by_hand")
async def last_promise_hides_the_others(self: SimulatedFleetRegistry, node: str, size_bytes: int) -> bool:
    """Memory that is promised to one load takes the place of what was promised to others: `=` for `+=`."""
    await self._node_statement(node)
    row = self._table.nodes[node]
    if row.reserved_vram_bytes + size_bytes > row.available_vram_bytes:
        return False
    row.reserved_vram_bytes = size_bytes
    return True


@in_place_of(f"{_FLEET_REGISTRY}.reserve_vram", "reserved_by_hand")
async def memory_is_promised_twice(self: SimulatedFleetRegistry, node: str, size_bytes: int) -> bool:
    """Whether there is memory to promise is asked of all that a node reports, promised or not."""
    await self._node_statement(node)
    row = self._table.nodes[node]
    if size_bytes > row.available_vram_bytes:
        return False
    row.reserved_vram_bytes += size_bytes
    return True


@in_place_of(f"{_FLEET_REGISTRY}.release_vram", "reserved_by_hand")
async def one_release_ends_all_promises(self: SimulatedFleetRegistry, node: str, size_bytes: int) -> None:
    """A load that fails gives back what was promised to others too."""
    await self._node_statement(node)
    self._table.nodes[node].reserved_vram_bytes = 0


@in_place_of("sim.routing.loading.placement:_best_node", "reserved_by_hand")
def promised_memory_makes_a_node_better(fleet: Fleet, nodes: Sequence[Node], needed_vram_bytes: int) -> Node | None:
    """Of the nodes on which a model fits, the one that reports most is taken, whatever is promised there."""
    fitting = [node for node in nodes if 0 < needed_vram_bytes <= node.unreserved_vram_bytes]
    return min(fitting or nodes, key=lambda node: _node_order(fleet, node, node.available_vram_bytes), default=None)


@in_place_of(f"{_RETRY}.require_turn", "two_pauses_by_hand")
def pause_holds_for_all_models(self: RetryWithBackoff, model: str) -> None:
    """While one model is not to be loaded again yet, no other one is loaded either."""
    for pause in self._pauses.values():
        if self._clock.now_ns() < pause.until_ns:
            raise LoadFailed(pause.cause)


@in_place_of(f"{_RETRY}.loaded", "two_pauses_by_hand")
def success_forgets_all_failures(self: RetryWithBackoff, model: str) -> None:
    """A load that succeeds ends the pauses of all models."""
    self._pauses.clear()


@in_place_of("sim.routing.loading.broadcast:Broadcast.close", "woken_by_hand")
def load_wakes_those_of_other_models(self: Broadcast, model: str) -> None:
    """The end of a load wakes the requests that wait for any load, and each of them loses a round."""
    for listeners in self._listeners.values():
        for closed in listeners:
            closed.give()


@in_place_of(f"{_JOBS}:JobLoad.route", "rounds_by_hand")
async def each_round_may_wait_anew(self: JobLoad, request: Request, warm_path: WarmPath) -> Route:
    """The limit on a request's wait holds for each load that it waits for, and not for all of them."""
    for _ in range(ROUNDS):
        route = await self._take_part(request, warm_path, self._ports.runtime.now_ns() + self._wait_ns)
        if route is not None:
            return route
    raise NoReplica("load finished but model not available")


one_round_too_many = Mutant(
    "one_round_too_many",
    f"{_JOBS}:ROUNDS",
    "A request waits for one load more than it may.",
    ROUNDS + 1,
    ("rounds_by_hand",),
)


@in_place_of(f"{_JOBS}:JobLoad._begin", "late_claim_by_hand")
async def needless_job_stays(self: JobLoad, request: Request, job: LoadJob, warm_path: WarmPath) -> Route | None:
    """A job that was claimed when there was a replica after all keeps its row, and others wait for it."""
    owned = LoadOwner(self._ports, self._load_path, self._broadcast, job)
    route = await warm_path(request)
    if route is None:
        self._load_path.retry.require_turn(request.model)
        self._ports.runtime.spawn(owned.run(), "load job")
    return route


@in_place_of("sim.routing.loading.load_owner:LoadOwner._beat", "taken_over_by_hand")
async def owner_without_a_row_wakes_nobody(self: LoadOwner) -> None:
    """An owner whose job was taken over takes its own load for ended, and wakes nobody when it does end."""
    is_ours = True
    while is_ours and not await self._over.within(HEARTBEAT_NS):
        is_ours = await self._is_still_ours()


@in_place_of(f"{_FLEET_REGISTRY}.evict", "evict_race_by_hand")
async def victim_is_chosen_too_early(
    self: SimulatedFleetRegistry, choose: Callable[[Fleet], ReplicaRow | None]
) -> ReplicaRow | None:
    """The row that makes room is chosen before the transaction that deletes it, whatever it has to do by then."""
    chosen = choose(self._database.read())
    await self._transaction()
    row = None if chosen is None else self._table.row(chosen.id)
    if row is not None:
        self._table.delete_row(row)
    return chosen


@in_place_of("sim.routing.loading.placement:_has_conflict", "conflicts_by_hand")
def loading_model_is_in_conflict(fleet: Fleet, node: Node, model: ModelConfig) -> bool:
    """A model keeps others away from a node on which it is only being loaded."""
    return any(row.key.model in model.conflicts for row in fleet.rows_on(node.name))


@in_place_of("sim.routing.loading.load_path:LoadPath.load", "two_pauses_by_hand")
async def want_of_room_pauses_a_model(
    self: LoadPath, model: str, in_flight: int, cause: str, on_progress: OnProgress = lambda _state: None
) -> Destination:
    """A model for which there was no room is not tried again for a while, though no load of it has failed."""
    self.retry.require_turn(model)
    try:
        loaded = await self._add(model, in_flight, cause, on_progress)
    except CallError as error:
        self.retry.failed(model, error)
        raise
    self.retry.loaded(model)
    return loaded
