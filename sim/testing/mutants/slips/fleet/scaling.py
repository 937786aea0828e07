"""Slips in how the reconciler adds and removes replicas, and in who makes a pass and when."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from sim.routing.control_plane.background import Rank
from sim.routing.control_plane.replica_pass import Addition, Bounds, Removal, ReplicaPass, Setback
from sim.routing.control_plane.turns import LOCK, InSequence, Scale, SideBySide
from sim.routing.errors import CallError
from sim.routing.fleet import Cooldown, Fleet, ReplicaRow
from sim.routing.loading.broadcast import Signal
from sim.routing.loading.placement import TakenIndexes, _free_slots, indexes_of_rows, matching_nodes
from sim.routing.ports import Runtime
from sim.routing.settings import ModelConfig, ReconcilerSettings
from sim.routing.strategies import FREE_PROCESS, LOAD_INFO, PASSES, REAPERS, TURNS
from sim.simulated.registry.fleet_registry import SimulatedFleetRegistry
from sim.testing.mutants.mutant import Mutant, in_place_of

_SCALING = "sim.routing.control_plane.replica_pass"


@in_place_of(f"{_SCALING}:bounds_of", "scaling_by_hand")
def minimum_is_one_too_low(fleet: Fleet, model: ModelConfig) -> Bounds | None:
    """A model gets one replica fewer than its minimum."""
    return Bounds((model.min_replicas or 1) - 1, model.max_replicas or 0)


@in_place_of(f"{_SCALING}:bounds_of", "scaling_by_hand")
def maximum_is_one_too_high(fleet: Fleet, model: ModelConfig) -> Bounds | None:
    """A model gets one replica more than its maximum: `>` for `>=`."""
    return Bounds(model.min_replicas or 0, model.max_replicas + 1 if model.max_replicas else 0)


@in_place_of(f"{_SCALING}:bounds_of", "scaling_by_hand")
def spread_is_ignored(fleet: Fleet, model: ModelConfig) -> Bounds | None:
    """No replica is added for a model that should be on every node."""
    return Bounds(model.min_replicas or 0, model.max_replicas or 0)


@in_place_of(f"{_SCALING}:_cause_for_one_more", "scaling_by_hand")
def one_busy_replica_is_enough(
    loaded: Sequence[ReplicaRow], bounds: Bounds, disturbs: int
) -> Literal["busy", "pressure"] | None:
    """A model gets one more replica if any of its replicas is busy: `any` for `all`."""
    if bounds.most and len(loaded) >= bounds.most:
        return None
    return "busy" if any(row.in_flight for row in loaded) else None


@in_place_of(f"{_SCALING}:_cause_for_one_more", "scaling_by_hand")
def busy_model_gets_nothing(
    loaded: Sequence[ReplicaRow], bounds: Bounds, disturbs: int
) -> Literal["busy", "pressure"] | None:
    """A busy model is not scaled up."""
    return None


@in_place_of(f"{_SCALING}:_setback", "cooldown_by_hand")
def setback_is_not_counted(cooldown: Cooldown, now_ns: int, settings: ReconcilerSettings) -> Setback:
    """A model that finds no slot is tried again in every pass: there is no cooldown."""
    return Setback(Cooldown(0, 0))


@in_place_of(f"{_SCALING}:_setback", "cooldown_by_hand")
def first_setback_is_a_cooldown(cooldown: Cooldown, now_ns: int, settings: ReconcilerSettings) -> Setback:
    """One pass without a slot is enough for a cooldown."""
    return Setback(Cooldown(cooldown.fruitless_passes + 1, now_ns + settings.cooldown_ns))


def _idle(loaded: Sequence[ReplicaRow], unused_since_ns: int) -> list[ReplicaRow]:
    return [row for row in loaded if not row.in_flight and row.last_used_ns < unused_since_ns]


@in_place_of(f"{_SCALING}:_removal", "scaling_by_hand")
def last_replica_is_removed_too(loaded: Sequence[ReplicaRow], floor: int, unused_since_ns: int) -> Removal | None:
    """A model without requests loses all its replicas."""
    going = _idle(loaded, unused_since_ns)
    return Removal(going, unused_since_ns) if going else None


@in_place_of(f"{_SCALING}:_removal", "scaling_by_hand")
def lately_used_is_removed(loaded: Sequence[ReplicaRow], floor: int, unused_since_ns: int) -> Removal | None:
    """A replica is removed as soon as it has nothing to do."""
    going = [row for row in loaded if not row.in_flight][: max(0, len(loaded) - floor)]
    return Removal(going, 1 << 62) if going else None


@in_place_of(f"{_SCALING}:_removal", "scaling_by_hand")
def idle_replicas_stay(loaded: Sequence[ReplicaRow], floor: int, unused_since_ns: int) -> Removal | None:
    """Idle replicas are never removed."""
    return None


@in_place_of(f"{_SCALING}:_removal", "scaling_by_hand")
def lowest_index_goes_first(loaded: Sequence[ReplicaRow], floor: int, unused_since_ns: int) -> Removal | None:
    """Of the idle replicas of a node, the first one is removed: a sign is missing."""
    idle = sorted(_idle(loaded, unused_since_ns), key=lambda row: (row.key.replica_index, row.last_used_ns, row.id))
    going = idle[: max(0, len(loaded) - floor)]
    return Removal(going, unused_since_ns) if going else None


@in_place_of(f"{_SCALING}:_removal", "slots_by_hand")
def idle_for_just_so_long_is_enough(loaded: Sequence[ReplicaRow], floor: int, unused_since_ns: int) -> Removal | None:
    """A replica is removed at the very end of the time that it may be idle: `<=` for `<`."""
    going = _idle(loaded, unused_since_ns + 1)[: max(0, len(loaded) - floor)]
    return Removal(going, unused_since_ns + 1) if going else None


@in_place_of(f"{_SCALING}:capacity", "slots_by_hand")
def slots_of_all_nodes_count(fleet: Fleet, model: ModelConfig, taken: TakenIndexes = indexes_of_rows) -> int:
    """Free slots count on nodes too that the model may not use."""
    return sum(_free_slots(fleet, node, model.name, taken) for node in fleet.healthy_nodes())


_add = ReplicaPass._add


@in_place_of(f"{_SCALING}:ReplicaPass._add", "slots_by_hand")
async def more_is_added_than_there_are_slots(self: ReplicaPass, fleet: Fleet, model: str, addition: Addition) -> None:
    """A model gets all replicas that it lacks, and others are evicted where slots are short."""
    least = next(one.min_replicas or 0 for one in self._models if one.name == model)
    lacking = max(addition.replicas, least - len(fleet.loaded(model)))
    await _add(self, fleet, model, addition._replace(replicas=lacking))


@in_place_of(f"{_SCALING}:ReplicaPass._add", "cooldown_by_hand")
async def setbacks_are_never_forgotten(self: ReplicaPass, fleet: Fleet, model: str, addition: Addition) -> None:
    """A replica that was added in the end leaves the passes without a slot in the registry."""
    await _add(self, replace(fleet, cooldowns={}), model, addition)


@in_place_of(f"{_SCALING}:ReplicaPass._add", "slots_by_hand")
async def one_is_added_at_a_time(self: ReplicaPass, fleet: Fleet, model: str, addition: Addition) -> None:
    """A model gets one replica in a pass, however many it lacks."""
    await _add(self, fleet, model, addition._replace(replicas=1))


@in_place_of(f"{_SCALING}:ReplicaPass._load", "slots_by_hand")
async def loads_go_on_after_a_failure(self: ReplicaPass, model: str, replicas: int) -> int:
    """A pass tries all replicas that a model lacks, also after a load that has failed."""
    added = 0
    for _ in range(replicas):
        with suppress(CallError):
            await self._load_path.load(model, in_flight=0, cause="scale_up")
            added += 1
    return added


@in_place_of("sim.simulated.registry.fleet_registry:SimulatedFleetRegistry.claim_pass", "scaling_by_hand")
async def every_frontend_claims_the_pass(self: SimulatedFleetRegistry, name: str, interval_ns: int) -> bool:
    """Every frontend is told that the pass is its own."""
    return True


load_info_is_lost = Mutant(
    "load_info_is_lost",
    "sim.routing.control_plane.background:LOAD_INFO",
    "How to load a model is forgotten with its last row, where it should be kept.",
    {**LOAD_INFO, "kept": LOAD_INFO["with_rows"]},
    ("evictions_by_hand",),
)

stop_is_an_unload = Mutant(
    "stop_is_an_unload",
    "sim.routing.control_plane.background:FREE_PROCESS",
    "A scale-down frees some process of the node, where it should end that of the row.",
    {**FREE_PROCESS, "stop": FREE_PROCESS["unload"]},
    ("unload_frees_wrong_process",),
)

third_miss_is_the_first = Mutant(
    "third_miss_is_the_first",
    "sim.routing.control_plane.background:REAPERS",
    "One miss costs a row, where it should take three.",
    {**REAPERS, "third_miss": REAPERS["first_miss"]},
    ("scaling_by_hand",),
)

turns_wait_for_each_other = Mutant(
    "turns_wait_for_each_other",
    "sim.routing.control_plane.background:TURNS",
    "The models of a pass come one after the other, however long their loads take, whatever order is chosen.",
    {**TURNS, "side_by_side": InSequence},
    ("deaf_worker_by_hand",),
)


@in_place_of("sim.routing.control_plane.turns:SideBySide._take_turn", "deaf_worker_by_hand")
async def turns_of_a_model_overlap(self: SideBySide, model: ModelConfig, scale: Scale, ended: Signal) -> None:
    """A model that has its turn under way on one frontend is scaled by another one too."""
    with suppress(CallError):
        async with self._registry.try_lock(f"{LOCK}:{model.name}"):
            await scale(model)
    ended.give()


passes_are_not_shared = Mutant(
    "passes_are_not_shared",
    "sim.routing.control_plane.background:PASSES",
    "Every frontend makes a pass in each interval, where one should.",
    {**PASSES, "once_per_tick": PASSES["every_frontend"]},
    ("scaling_by_hand",),
)


@in_place_of("sim.routing.control_plane.background:Rank.first_tick_ns", "scaling_by_hand")
def all_frontends_tick_together(self: Rank, tick_ns: int) -> int:
    """The ticks of the frontends are not spread."""
    return tick_ns


@in_place_of("sim.routing.control_plane.background:tick_for_ever", "scaling_by_hand")
async def dropped_ticks_are_made_up_for(
    runtime: Runtime, tick_ns: int, first_ns: int, run_pass: Callable[[], Awaitable[None]]
) -> None:
    """Ticks during a long pass are all made up for afterwards."""
    due_ns = runtime.now_ns() + first_ns
    while True:
        await runtime.sleep(max(0, due_ns - runtime.now_ns()))
        await run_pass()
        due_ns += tick_ns


@in_place_of("sim.routing.control_plane.background:tick_for_ever", "scaling_by_hand")
async def next_tick_counts_from_the_end(
    runtime: Runtime, tick_ns: int, first_ns: int, run_pass: Callable[[], Awaitable[None]]
) -> None:
    """The next pass comes a tick after the end of the last one, not after its beginning."""
    await runtime.sleep(first_ns)
    while True:
        await run_pass()
        await runtime.sleep(tick_ns)


@in_place_of(f"{_SCALING}:bounds_of", "spread_by_hand")
def spread_has_no_maximum(fleet: Fleet, model: ModelConfig) -> Bounds | None:
    """A model that is on each of its nodes already gets one more replica when it is busy."""
    if not model.spread:
        return Bounds(model.min_replicas or 0, model.max_replicas or 0)
    nodes = len(matching_nodes(fleet, model.selector))
    return Bounds(nodes, 0) if nodes else None


@in_place_of(f"{_SCALING}:bounds_of", "spread_by_hand")
def spread_counts_every_node(fleet: Fleet, model: ModelConfig) -> Bounds | None:
    """A model gets as many replicas as there are nodes, whatever labels it asks for."""
    if not model.spread:
        return Bounds(model.min_replicas or 0, model.max_replicas or 0)
    nodes = len(fleet.healthy_nodes())
    return Bounds(nodes, nodes)


@in_place_of(f"{_SCALING}:bounds_of", "spread_by_hand")
def spread_over_no_node_has_bounds(fleet: Fleet, model: ModelConfig) -> Bounds | None:
    """A model whose nodes are all out of service is scaled down there."""
    if not model.spread:
        return Bounds(model.min_replicas or 0, model.max_replicas or 0)
    nodes = len(matching_nodes(fleet, model.selector))
    return Bounds(nodes, nodes)
