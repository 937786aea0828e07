"""Slips about rows that are not loaded yet or not any more, and about loads that have lost their job."""

from collections import Counter
from collections.abc import Collection, Mapping

from sim.routing.fleet import Fleet, LoadJob, LoadState, Node, ReplicaRow, RowState
from sim.routing.loading.eviction import _can_lose_one
from sim.routing.loading.load_owner import HEARTBEAT_NS, LoadOwner
from sim.routing.settings import ModelConfig
from sim.simulated.registry.load_jobs import SimulatedLoadJobs
from sim.testing.mutants.mutant import Mutant, in_place_of


@in_place_of("sim.routing.loading.placement:_node_order", "unready_by_hand")
def loading_row_makes_a_node_busy(fleet: Fleet, node: Node, free_vram_bytes: int) -> tuple[bool, int, int, str]:
    """A node counts as serving while it only loads its first replica."""
    rows = fleet.rows_on(node.name)
    return (bool(rows), sum(row.in_flight for row in rows), -free_vram_bytes, node.name)


@in_place_of("sim.routing.loading.eviction:least_recently_used", "unready_by_hand")
def outdated_rows_count_for_the_floor(
    fleet: Fleet, models: Mapping[str, ModelConfig], nodes: Collection[str] = ()
) -> ReplicaRow | None:
    """A model may lose its last loaded replica as long as it has a row that is not loaded."""
    allowed = {node.name for node in fleet.healthy_nodes() if not nodes or node.name in nodes}
    rows = Counter(row.key.model for row in fleet.rows)
    evictable = (
        row
        for row in fleet.rows
        if row.is_loaded
        and not row.in_flight
        and row.key.node in allowed
        and _can_lose_one(models.get(row.key.model), rows[row.key.model])
    )
    return min(evictable, key=lambda row: (row.last_used_ns, row.id), default=None)


row_under_way_is_not_overtaken = Mutant(
    "row_under_way_is_not_overtaken",
    "sim.simulated.registry.replica_table:OVERTAKEN",
    "A new revision of a model overtakes its loaded rows only, and not those that are still loading.",
    (RowState.LOADED,),
    ("unready_by_hand",),
)


@in_place_of("sim.routing.loading.load_owner:LoadOwner._beat", "taken_over_by_hand")
async def lost_job_gets_heartbeats(self: LoadOwner) -> None:
    """An owner whose job has been taken over goes on writing heartbeats for it."""
    while not await self._over.within(HEARTBEAT_NS):
        await self._is_still_ours()


@in_place_of("sim.simulated.registry.load_jobs:SimulatedLoadJobs.start_load", "races_by_hand")
async def job_is_written_over(self: SimulatedLoadJobs, model: str) -> LoadJob | None:
    """A job is written whether or not there is one by now."""
    await self._transaction()
    job = LoadJob(self._database.next_job_id(), model, LoadState.PENDING, self._clock.wall_ns())
    self._database.jobs[model] = job
    return job


eviction_is_tried_four_times = Mutant(
    "eviction_is_tried_four_times",
    "sim.routing.loading.eviction:ATTEMPTS",
    "The last of five attempts at an eviction is not made.",
    4,
    ("room_by_hand",),
)
