"""Slips in the registry's tables: whose rows a statement changes, by which clock, and what it waits for."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from sim.routing.control_plane.replica_pass import Removal, ReplicaPass
from sim.routing.errors import CallError
from sim.routing.fleet import NO_COOLDOWN, Cooldown, Fleet, LoadState, ReplicaRow
from sim.routing.ports import RunningProcess
from sim.routing.registry import RowChange
from sim.routing.replica import Replica
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.nodes.work_speed import VariableSpeed
from sim.simulated.registry.fleet_registry import SimulatedFleetRegistry
from sim.simulated.registry.load_jobs import SimulatedLoadJobs
from sim.simulated.registry.registry import SimulatedRegistry
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import Row
from sim.testing.mutants.mutant import in_place_of

_FLEET_REGISTRY = "sim.simulated.registry.fleet_registry:SimulatedFleetRegistry"
_REGISTRY = "sim.simulated.registry.registry:SimulatedRegistry"


@in_place_of(f"{_FLEET_REGISTRY}.set_cooldown", "cooldown_by_hand")
async def one_success_ends_all_cooldowns(self: SimulatedFleetRegistry, model: str, cooldown: Cooldown) -> None:
    """A model that gets its replica ends the cooldowns of the others as well."""
    await self._transaction()
    if cooldown == NO_COOLDOWN:
        self._database.cooldowns.clear()
    else:
        self._database.cooldowns[model] = cooldown


@in_place_of(f"{_FLEET_REGISTRY}.confirm_row", "leaks_by_hand")
async def confirmed_by_another_clock(self: SimulatedFleetRegistry, row_id: str) -> None:
    """A row is confirmed at the monotonic time, and its age is read by the wall clock."""
    row = await self._row(row_id)
    if row is not None:
        row.updated_ns = self._runtime.now_ns()


@in_place_of("sim.simulated.registry.load_jobs:SimulatedLoadJobs.beat_load", "taken_over_by_hand")
async def load_beats_by_another_clock(self: SimulatedLoadJobs, job_id: str, state: LoadState, cause: str = "") -> bool:
    """A load's heartbeat has the monotonic time, and its age is read by the wall clock."""
    await self._transaction()
    job = self._database.job(job_id)
    if job is None:
        return False
    self._database.jobs[job.model] = replace(job, state=state, cause=cause, heartbeat_ns=self._runtime.now_ns())
    return True


@in_place_of(f"{_FLEET_REGISTRY}.fleet", "idle_race_by_hand")
async def fleet_is_read_too_early(self: SimulatedFleetRegistry) -> Fleet:
    """A reading of the fleet shows it as it was when the transaction began."""
    read = self._database.read()
    await self._transaction()
    return read


@in_place_of(f"{_FLEET_REGISTRY}._node_statement", "lock_waits_by_hand")
async def heartbeat_waits_for_no_pick(self: SimulatedFleetRegistry, node: str) -> None:
    """A statement on a node's row does not wait for the pick that holds it."""
    await self._transaction()


@in_place_of(f"{_FLEET_REGISTRY}._row", "aborts_by_hand")
async def row_goes_under_its_pick(self: SimulatedFleetRegistry, row_id: str) -> Row | None:
    """A statement on one row does not wait for the pick that holds it, and so does not see its count."""
    await self._transaction()
    return self._table.row(row_id)


@in_place_of(f"{_REGISTRY}._acquire", "lock_waits_by_hand")
async def wait_for_a_pick_is_not_told(self: SimulatedRegistry, queue: FifoQueue) -> None:
    """The journal does not hear how long a statement has waited for a lock."""
    await queue.acquire()


@in_place_of(f"{_REGISTRY}.exchange", "mixed_by_hand")
async def list_waits_for_no_pick(
    self: SimulatedRegistry, model: str, changes: Mapping[str, RowChange]
) -> Sequence[Replica]:
    """A frontend that writes down its counts does not wait for the picks that hold their rows."""
    self.transactions += 1
    await self._runtime.sleep(self._transaction_ns)
    self._table.change(model, changes, self._clock.wall_ns())
    return [row.as_picked() for row in self._table.eligible(model)]


@in_place_of("sim.simulated.registry.replica_table:ReplicaTable.change", "ended_by_hand")
def end_of_a_request_is_a_use(self: ReplicaTable, model: str, changes: Mapping[str, RowChange], wall_ns: int) -> None:
    """A row counts as used when a list writes down that a request on it has ended."""
    for row in [row for row in self.rows.values() if row.key.model == model and row.id in changes]:
        added = changes[row.id].added
        self._drifts.add(row.key, -max(added, -row.in_flight))
        row.in_flight = max(0, row.in_flight + added)
        row.last_used_ns = row.updated_ns = wall_ns


@in_place_of("sim.simulated.registry.replica_table:ReplicaTable.report_vram", "free_memory_by_hand")
def first_row_of_a_node_is_told(self: ReplicaTable, node: str, available_bytes: int) -> None:
    """Only the first row on a node hears of the node's free VRAM."""
    self.nodes[node].available_vram_bytes = available_bytes
    self.nodes[node].reserved_vram_bytes = 0
    for row in list(self._by_node[node].values())[:1]:
        row.available_vram_bytes = available_bytes


@in_place_of("sim.routing.control_plane.state_pass:is_listed", "recycled_by_hand")
def address_is_enough_on_the_list(row: ReplicaRow, running: Sequence[RunningProcess]) -> bool:
    """A row counts as listed if any process has its address, of whatever model."""
    return any(process.address == row.address for process in running)


@in_place_of("sim.routing.control_plane.replica_pass:ReplicaPass._remove", "idle_race_by_hand")
async def first_refusal_ends_the_removal(self: ReplicaPass, model: str, removal: Removal) -> None:
    """If one idle replica has got a request meanwhile, the other idle ones stay too: `return` for `continue`."""
    self._ports.journal.scaled(model, -len(removal.rows), "idle")
    for row in removal.rows:
        if not await self._ports.registry.remove_idle_row(row.id, removal.unused_since_ns):
            return
        self._ports.journal.row_removed(row.key, row.address, "idle", None)
        with suppress(CallError):
            await self._free_process(self._ports, row.key)


@in_place_of("sim.simulated.nodes.work_speed:VariableSpeed.go", "overlap_by_hand")
def one_end_undoes_all_stops(self: VariableSpeed) -> None:
    """A process that hangs for two reasons goes on when the first of them is over."""
    self._stops = 0
    self._changes.ring()
