"""Slips in what becomes of a load, an eviction or a pass when a transaction of it fails, or something comes between."""

from collections.abc import Collection, Mapping
from contextlib import suppress

from sim.routing.control_plane.replica_pass import Removal, ReplicaPass
from sim.routing.control_plane.ticker import Pass
from sim.routing.errors import CallError, NoFreeSlot
from sim.routing.fleet import Fleet, ReplicaRow
from sim.routing.loading.cold_load import WarmPath
from sim.routing.loading.eviction import Eviction
from sim.routing.loading.job_load import JobLoad, _raise_if_failed
from sim.routing.loading.load_owner import LoadOwner
from sim.routing.loading.load_path import LoadPath, _Place
from sim.routing.loading.placement import SlotsExhausted, place, place_on
from sim.routing.registry import Registry
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.request_path.route import Route
from sim.routing.settings import ModelConfig
from sim.routing.strategies import PASSES
from sim.simulated.registry.fleet_registry import SimulatedFleetRegistry
from sim.testing.mutants.mutant import Mutant, in_place_of

_JOB = "sim.routing.loading.job_load"
_PATH = "sim.routing.loading.load_path"
_EVICTION = "sim.routing.loading.eviction"
_REGISTRY = "sim.simulated.registry.fleet_registry:SimulatedFleetRegistry"


@in_place_of(f"{_JOB}:JobLoad._take_part", "aborts_by_hand")
async def no_claim_is_no_load(self: JobLoad, request: Request, warm_path: WarmPath, until_ns: int) -> Route | None:
    """A request fails if its job cannot be claimed, where it should load the model on its own."""
    with self._broadcast.listening(request.model) as ended:
        claim = await self._claim(request.model)
        _raise_if_failed(claim.theirs)
        if claim.ours is not None:
            route = await self._begin(request, claim.ours, warm_path)
            if route is not None:
                return route
        await self._wait(request.model, ended, until_ns)
    return await warm_path(request)


@in_place_of(f"{_JOB}:JobLoad._has_gone", "aborts_by_hand")
async def unreadable_job_has_gone(self: JobLoad, model: str) -> bool:
    """A job that cannot be read counts as one that has ended."""
    try:
        return await self._ports.registry.load_job(model) is None
    except CallError:
        return True


only_one_job_is_waited_for = Mutant(
    "only_one_job_is_waited_for",
    f"{_JOB}:ROUNDS",
    "A request gives up after one job that has ended without a replica for it, where it should after three.",
    1,
    ("aborts_by_hand",),
)


@in_place_of("sim.routing.loading.load_owner:LoadOwner._is_still_ours", "aborts_by_hand")
async def failed_heartbeat_is_the_last(self: LoadOwner) -> bool:
    """An owner whose heartbeat fails once takes its job for lost, and sends no other."""
    try:
        return await self._ports.registry.beat_load(self._job.id, self._state)
    except CallError:
        return False


@in_place_of(f"{_EVICTION}:Eviction.make_room", "aborts_by_hand")
async def eviction_is_tried_once(self: Eviction, nodes: Collection[str] = ()) -> ReplicaRow:
    """An eviction that meets an error is not tried again."""
    row = await self._evict(nodes)
    if row is None:
        raise NoFreeSlot("all models busy")
    return row


evictions_follow_at_once = Mutant(
    "evictions_follow_at_once",
    f"{_EVICTION}:RETRY_NS",
    "Nothing is waited for between two attempts at an eviction.",
    0,
    ("aborts_by_hand",),
)


@in_place_of(f"{_EVICTION}:least_recently_used", "aborts_by_hand")
def row_in_no_service_is_evicted(
    fleet: Fleet, models: Mapping[str, ModelConfig], nodes: Collection[str] = ()
) -> ReplicaRow | None:
    """A row may be evicted on a node that is out of service, where nothing can be loaded in its place."""
    idle = [row for row in fleet.rows if row.is_loaded and not row.in_flight and (not nodes or row.key.node in nodes)]
    return min(idle, key=lambda row: (row.last_used_ns, row.id), default=None)


@in_place_of(f"{_PATH}:place_on", "aborts_by_hand")
def eviction_makes_a_slot(fleet: Fleet, node_name: str, model: str) -> ReplicaKey:
    """The first replica of a node is replaced where the eviction of another model has made no slot."""
    try:
        return place_on(fleet, node_name, model)
    except NoFreeSlot:
        return ReplicaKey(node_name, model, 0)


@in_place_of(f"{_PATH}:LoadPath._release_vram", "workers_by_hand")
async def promised_vram_stays_promised(self: LoadPath, key: ReplicaKey, config: ModelConfig) -> None:
    """What was promised to a process that did not start is not given back."""


@in_place_of(f"{_REGISTRY}.reserve_vram", "workers_by_hand")
async def last_byte_is_not_promised(self: SimulatedFleetRegistry, node: str, size_bytes: int) -> bool:
    """A replica that needs all that is free of a node's VRAM is promised nothing: `>=` for `>`."""
    await self._node_statement(node)
    row = self._table.nodes[node]
    if row.reserved_vram_bytes + size_bytes >= row.available_vram_bytes:
        return False
    row.reserved_vram_bytes += size_bytes
    return True


def _once_per_tick(registry: Registry, name: str, interval_ns: int, run_pass: Pass) -> Pass:
    async def run_if_first() -> None:
        is_first = True
        with suppress(CallError):
            is_first = await registry.claim_pass(name, interval_ns)
        if is_first:
            await run_pass()

    return run_if_first


unclaimed_pass_is_made = Mutant(
    "unclaimed_pass_is_made",
    "sim.routing.control_plane.background:PASSES",
    "A frontend that cannot claim a pass makes it all the same.",
    {**PASSES, "once_per_tick": _once_per_tick},
    ("aborts_by_hand",),
)


@in_place_of(f"{_REGISTRY}.remove_idle_row", "aborts_by_hand")
async def row_used_meanwhile_goes(self: SimulatedFleetRegistry, row_id: str, unused_since_ns: int) -> bool:
    """An idle row is deleted without another look whether it is idle."""
    return await self.remove_row(row_id)


@in_place_of(f"{_REGISTRY}.remove_idle_row", "workers_by_hand")
async def row_idle_again_goes(self: SimulatedFleetRegistry, row_id: str, unused_since_ns: int) -> bool:
    """A row that was used after it was chosen to go is deleted if that use is over."""
    return await self._remove_if(row_id, lambda row: not row.in_flight)


@in_place_of("sim.routing.control_plane.replica_pass:ReplicaPass._remove", "workers_by_hand")
async def process_goes_though_its_row_stays(self: ReplicaPass, model: str, removal: Removal) -> None:
    """A process is stopped although its row could not be deleted, since it was used meanwhile."""
    self._ports.journal.scaled(model, -len(removal.rows), "idle")
    for row in removal.rows:
        await self._ports.registry.remove_idle_row(row.id, removal.unused_since_ns)
        self._ports.journal.row_removed(row.key, row.address, "idle", None)
        with suppress(CallError):
            await self._free_process(self._ports, row.key)


@in_place_of(f"{_PATH}:LoadPath._place", "room_by_hand")
async def place_is_of_before_the_eviction(self: LoadPath, config: ModelConfig) -> _Place:
    """The fleet is not read again after the wait for an eviction."""
    fleet = await self._ports.registry.fleet()
    placed = place(fleet, config, self._rules)
    if isinstance(placed, SlotsExhausted):
        evicted = await self._eviction.make_room(placed.evict_from)
        placed = place_on(fleet, evicted.key.node, config.name)
    return _Place(placed, fleet.revisions.get(config.name, ""))
