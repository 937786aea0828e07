"""Slips in the health monitor and in the reconciler's state pass: which rows go, and which counts are cleared."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from sim.routing.control_plane.health_monitor import HealthMonitor
from sim.routing.control_plane.monitoring import BusyIsAlive, EveryMiss
from sim.routing.control_plane.row_inspector import Inspector, Liveness, LongestLoad
from sim.routing.control_plane.state_pass import LOCK, LeakSweep, PortProbe, ProcessTable, StatePass, WorkerFirst
from sim.routing.control_plane.streaks import Streaks
from sim.routing.errors import CallError
from sim.routing.fleet import Fleet, Node, NodeRule, ReplicaRow
from sim.routing.outcomes import ProbeOutcome
from sim.routing.ports import RunningProcess
from sim.routing.strategies import NODE_RULES
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


@in_place_of(f"{_REAPER}:is_listed", "reaping_by_hand")
def process_table_compares_models_only(row: ReplicaRow, running: Sequence[RunningProcess]) -> bool:
    """A row counts as listed if its node runs any process of the model."""
    return any(process.key.model == row.key.model for process in running)


@in_place_of(f"{_REAPER}:WorkerFirst.run", "squatter_by_hand")
async def health_call_outweighs_the_worker(self: WorkerFirst) -> None:
    """A row that the worker does not list gets a health call all the same, and whoever answers confirms it."""
    await self._table.ask()
    await self._probe.probe(await self._inspector.stale_rows())


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


@in_place_of(f"{_REAPER}:StopSweep.run", "replica_config_drift")
async def old_revision_is_never_stopped(self: object) -> None:
    """Processes of an old revision go on."""


@in_place_of("sim.routing.control_plane.monitoring:BusyIsAlive.heartbeat_age_ns", "monitors_by_hand")
def heartbeat_ages_during_a_pass(self: BusyIsAlive, node: Node, now_ns: int) -> int:
    """A long pass makes the nodes look silent that it comes to last."""
    return now_ns - node.heartbeat_ns


@in_place_of("sim.routing.control_plane.monitoring:BusyIsAlive.misses", "monitors_by_hand")
def silence_is_an_answer(self: BusyIsAlive, row: ReplicaRow, outcome: ProbeOutcome) -> int:
    """A probe without an answer ends the misses before it, where it should say nothing."""
    if outcome is ProbeOutcome.FAILED:
        return self._streaks.extend(row.id)
    self._streaks.end(row.id)
    return 0


@in_place_of(f"{_MONITOR}._check_all", "monitors_by_hand")
async def drained_node_is_checked(self: HealthMonitor, fleet: Fleet) -> None:
    """A node that was drained is taken offline when it falls silent, and comes back with its next heartbeat."""
    self._monitoring.begin_pass(fleet, self._ports.runtime.wall_ns())
    for node in fleet.nodes:
        await self._check_node(node, fleet.rows_on(node.name))


@in_place_of("sim.routing.control_plane.monitoring:EveryMiss.forget", "monitors_by_hand")
def misses_outlive_their_row(self: EveryMiss, row: ReplicaRow) -> None:
    """After a row was deleted for its misses, the next one of its key goes at its first miss."""


@in_place_of("sim.routing.control_plane.row_inspector:Inspector.processes", "workers_by_hand")
async def silent_worker_runs_nothing(self: Inspector, node: str) -> Sequence[RunningProcess] | None:
    """A worker that does not answer counts as one that runs no process."""
    try:
        return await self._ports.worker.processes(node)
    except CallError:
        return ()


@in_place_of("sim.routing.control_plane.row_inspector:Inspector.stop", "workers_by_hand")
async def silent_worker_has_stopped_it(self: Inspector, row: ReplicaRow) -> bool:
    """The row of an old revision is deleted although its worker could not be told to stop the process."""
    with suppress(CallError):
        await self._ports.worker.stop(row.key)
    return True


@in_place_of("sim.routing.control_plane.row_inspector:stale_rows", "workers_by_hand")
def loading_rows_are_swept_too(fleet: Fleet, before_ns: int) -> list[ReplicaRow]:
    """The sweeps look at rows in any state, not only at loaded ones."""
    return [row for row in fleet.rows if row.updated_ns < before_ns]


@in_place_of("sim.routing.control_plane.row_inspector:abandoned_loads", "abandoned_by_hand")
def long_load_is_an_abandoned_one(fleet: Fleet, before_ns: int, longest_load_ns: LongestLoad) -> list[ReplicaRow]:
    """A row on the way to loaded is given up when any other row would be stale, however long its load may take."""
    return [row for row in fleet.rows if not row.is_loaded and row.updated_ns < before_ns]


@in_place_of(f"{_REAPER}:_probe_in_turn", "leaks_by_hand")
async def suspicion_outlives_a_use(
    inspector: Inspector,
    rows: Sequence[ReplicaRow],
    streaks: Streaks[str],
    judge: Callable[[ReplicaRow, Liveness], Awaitable[None]],
) -> None:
    """What a sweep has found counts in later passes too, although the row was used in between."""
    for row in rows:
        await judge(row, await inspector.probe(row))


@in_place_of(f"{_REAPER}:LeakSweep._judge", "leaks_by_hand")
async def answers_before_a_silence_count(self: LeakSweep, row: ReplicaRow, answer: Liveness) -> None:
    """Two prompt answers clear a count, whatever the process did between them."""
    if answer is Liveness.ALIVE and self._answers.extend(row.id) >= self._needed:
        await self._inspector.clear_in_flight(row)


@in_place_of(f"{_REAPER}:StatePass.run_pass", "silent_nodes_by_hand")
async def state_passes_overlap(self: StatePass) -> None:
    """The state passes of several frontends sweep at the same time."""
    with suppress(CallError):
        async with self._registry.try_lock(LOCK):
            for sweep in self._sweeps:
                await sweep.run()


@in_place_of(f"{_REAPER}:PortProbe._judge", "silent_nodes_by_hand")
async def refusals_before_a_silence_count(self: PortProbe, row: ReplicaRow, answer: Liveness) -> None:
    """A health call without an answer does not end a row's refusals in a row."""
    if answer in self._taken_for_dead:
        if self._misses.extend(row.id) >= self._limit:
            await self._inspector.remove(row, "unreachable")
    elif answer is Liveness.ALIVE:
        self._misses.end(row.id)
        await self._inspector.confirm(row)
