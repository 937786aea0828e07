"""Slips in the background loops: health monitor, reconciler, who makes a pass and when."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Literal

from sim.routing.control_plane.background import Rank
from sim.routing.control_plane.health_monitor import HealthMonitor
from sim.routing.control_plane.monitoring import BusyIsAlive, EveryMiss
from sim.routing.control_plane.replica_pass import Bounds, Removal, Setback
from sim.routing.control_plane.row_inspector import Inspector, Liveness
from sim.routing.control_plane.state_pass import LeakSweep, PortProbe, ProcessTable
from sim.routing.errors import CallError
from sim.routing.fleet import Cooldown, Fleet, Node, NodeRule, ReplicaRow
from sim.routing.outcomes import ProbeOutcome
from sim.routing.ports import Runtime
from sim.routing.settings import ModelConfig, ReconcilerSettings
from sim.routing.strategies import FREE_PROCESS, LOAD_INFO, NODE_RULES, PASSES, REAPERS
from sim.simulated.registry.fleet_registry import SimulatedFleetRegistry
from sim.testing.mutants.mutant import Mutant, in_place_of

_MONITOR = "sim.routing.control_plane.health_monitor:HealthMonitor"


async def _checked(monitor: HealthMonitor, row: ReplicaRow, misses: int) -> None:
    backend = monitor._ports.dialer.dial(row.key, row.address)
    outcome = await monitor._health_check.ask(None, row.key, row.address, backend)
    if monitor._monitoring.misses(row, outcome) < misses:
        return
    is_removed = await monitor._ports.registry.remove_row(row.id)
    monitor._monitoring.forget(row)
    if is_removed:
        monitor._ports.journal.row_removed(row.key, row.address, "monitor_misses", None)


@in_place_of(f"{_MONITOR}._check_row", "reaping_by_hand")
async def monitor_reaps_at_two_misses(self: HealthMonitor, row: ReplicaRow) -> None:
    """The health monitor deletes a row one miss too early: `<` for `<=`."""
    await _checked(self, row, self._settings.misses - 1)


@in_place_of(f"{_MONITOR}._check_row", "reaping_by_hand")
async def monitor_reaps_at_four_misses(self: HealthMonitor, row: ReplicaRow) -> None:
    """The health monitor deletes a row one miss too late."""
    await _checked(self, row, self._settings.misses + 1)


@in_place_of(f"{_MONITOR}._check_row", "reaping_by_hand")
async def monitor_never_reaps(self: HealthMonitor, row: ReplicaRow) -> None:
    """The health monitor does not probe the rows."""


@in_place_of(f"{_MONITOR}._check_node", "reaping_by_hand")
async def monitor_probes_the_first_port_too(self: HealthMonitor, node: Node, rows: Sequence[ReplicaRow]) -> None:
    """The process on the first port of its node is probed like any other."""
    age_ns = self._monitoring.heartbeat_age_ns(node, self._ports.runtime.wall_ns())
    if age_ns > self._settings.stale_after_ns:
        await self._take_offline(node)
        return
    await self._bring_back(node)
    for row in rows:
        await self._check_row(row)


@in_place_of(f"{_MONITOR}._take_offline", "reaping_by_hand")
async def node_is_never_taken_offline(self: HealthMonitor, node: Node) -> None:
    """A node without heartbeats stays in service."""


@in_place_of(f"{_MONITOR}._bring_back", "reaping_by_hand")
async def node_never_comes_back(self: HealthMonitor, node: Node) -> None:
    """A node that was taken offline stays so, whatever heartbeats it sends."""


offline_node_keeps_its_rows = Mutant(
    "offline_node_keeps_its_rows",
    "sim.simulated.parts:NODE_RULES",
    "The rows of a node that is taken offline stay.",
    {**NODE_RULES, "heeded": NodeRule((), NODE_RULES["heeded"].may_serve)},
    ("reaping_by_hand",),
)


@in_place_of(f"{_MONITOR}.run_pass", "reaping_by_hand")
async def monitor_passes_overlap(self: HealthMonitor) -> None:
    """The monitors of several frontends work at the same time."""
    with suppress(CallError):
        await self._check_all(await self._ports.registry.fleet())


@in_place_of("sim.routing.control_plane.monitoring:EveryMiss.misses", "reaping_by_hand")
def misses_add_up(self: EveryMiss, row: ReplicaRow, outcome: ProbeOutcome) -> int:
    """An answer does not end a streak of misses."""
    if outcome is not ProbeOutcome.OK:
        return self._streaks.extend(row.key)
    return self._streaks.length(row.key)


@in_place_of("sim.routing.control_plane.monitoring:BusyIsAlive.misses", "reaping_by_hand")
def busy_counts_as_a_miss(self: BusyIsAlive, row: ReplicaRow, outcome: ProbeOutcome) -> int:
    """The repaired monitor counts a probe without an answer against the row."""
    if outcome is not ProbeOutcome.OK:
        return self._streaks.extend(row.id)
    self._streaks.end(row.id)
    return 0


@in_place_of("sim.routing.control_plane.monitoring:EveryMiss.misses", "reaping_by_hand")
def busy_is_no_miss(self: EveryMiss, row: ReplicaRow, outcome: ProbeOutcome) -> int:
    """LocalAI's monitor counts refusals only."""
    if outcome is ProbeOutcome.FAILED:
        return self._streaks.extend(row.key)
    return 0


_REAPER = "sim.routing.control_plane.state_pass"


@in_place_of(f"{_REAPER}:ProcessTable._judge", "reaping_by_hand")
async def process_table_removes_at_once(self: ProcessTable, row: ReplicaRow, *, is_listed: bool) -> None:
    """A row that is missing from one list of processes is deleted; two are needed."""
    if is_listed:
        await self._inspector.confirm(row)
    else:
        await self._inspector.remove(row, "not_in_process_table")


@in_place_of(f"{_REAPER}:ProcessTable._judge", "reaping_by_hand")
async def process_table_removes_nothing(self: ProcessTable, row: ReplicaRow, *, is_listed: bool) -> None:
    """A row that is missing from the list of processes stays."""
    if is_listed:
        await self._inspector.confirm(row)


@in_place_of(f"{_REAPER}:ProcessTable.run", "reaping_by_hand")
async def process_table_compares_models_only(self: ProcessTable) -> None:
    """A row counts as listed if its node runs any process of the model."""
    for row in await self._inspector.stale_rows():
        running = await self._inspector.processes(row.key.node)
        if running is not None:
            await self._judge(row, is_listed=any(one.key.model == row.key.model for one in running))


@in_place_of(f"{_REAPER}:PortProbe._judge", "reaping_by_hand")
async def port_probe_takes_busy_for_dead(self: PortProbe, row: ReplicaRow, answer: Liveness) -> None:
    """The reconciler deletes a row whose process does not answer in time, whichever reaper is chosen."""
    if answer is not Liveness.ALIVE:
        await self._inspector.remove(row, "unreachable")
        return
    await self._inspector.confirm(row)


@in_place_of(f"{_REAPER}:PortProbe._judge", "reaping_by_hand")
async def port_probe_removes_nothing(self: PortProbe, row: ReplicaRow, answer: Liveness) -> None:
    """The reconciler never deletes a row for its probe."""
    if answer is Liveness.ALIVE:
        await self._inspector.confirm(row)


@in_place_of("sim.routing.control_plane.row_inspector:Inspector.confirm", "scaling_by_hand")
async def confirmation_is_forgotten(self: Inspector, row: ReplicaRow) -> None:
    """A stale row whose process was found stays stale, and is probed in every pass."""


@in_place_of(f"{_REAPER}:LeakSweep._judge", "reaping_by_hand")
async def leak_is_cleared_at_the_first_answer(self: LeakSweep, row: ReplicaRow, answer: Liveness) -> None:
    """One prompt answer clears an in-flight count; two are needed."""
    if answer is Liveness.ALIVE:
        await self._inspector.clear_in_flight(row)


@in_place_of(f"{_REAPER}:LeakSweep._judge", "reaping_by_hand")
async def leak_of_a_busy_row_is_cleared(self: LeakSweep, row: ReplicaRow, answer: Liveness) -> None:
    """The count of a row that does not answer, and so is busy, is cleared."""
    if self._answers.extend(row.id) >= self._needed:
        await self._inspector.clear_in_flight(row)


@in_place_of(f"{_REAPER}:LeakSweep._judge", "reaping_by_hand")
async def leak_is_never_cleared(self: LeakSweep, row: ReplicaRow, answer: Liveness) -> None:
    """A leaked count stays for good."""


@in_place_of(f"{_REAPER}:Quarantine.run", "replica_config_drift")
async def old_revision_is_never_stopped(self: object) -> None:
    """Processes of an old revision go on."""


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
    """A model that should be on every node gets no replica of its own accord."""
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
