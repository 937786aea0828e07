"""Slips in how busy replicas are, in whether requests pile up, and in what counts as a lost prompt."""

import numpy as np

from sim.measure.analysis.load import LoadVerdict, piles_up, verdict
from sim.measure.analysis.readiness import ReplicaUse
from sim.measure.catalogue.view import ModelView
from sim.measure.recording.recorder import Recorder
from sim.measure.recording.records import Floats, Integers
from sim.routing.request import Request
from sim.testing.mutants.mutant import Mutant, in_place_of

_LOAD = "sim.measure.catalogue.load"


@in_place_of(f"{_LOAD}:verdict", "verdicts_by_hand")
def overload_and_backlog_change_places(
    present: Integers, arrivals: int, unserved: int, utilization: float | None
) -> LoadVerdict:
    """Requests that pile up without need count as too many, and the other way round: `<` for `>=`."""
    if not piles_up(present, arrivals):
        return LoadVerdict.STABLE
    return LoadVerdict.OVERLOADED if utilization is not None and utilization < 1 else LoadVerdict.BACKLOGGED


@in_place_of(f"{_LOAD}:verdict", "verdicts_by_hand")
def every_busy_model_is_overloaded(
    present: Integers, arrivals: int, unserved: int, utilization: float | None
) -> LoadVerdict:
    """Utilization alone decides."""
    return LoadVerdict.OVERLOADED if utilization is not None and utilization >= 1 else LoadVerdict.STABLE


@in_place_of(f"{_LOAD}:verdict", "verdicts_by_hand")
def requests_that_fail_make_it_stable(
    present: Integers, arrivals: int, unserved: int, utilization: float | None
) -> LoadVerdict:
    """Only what piles up is an overload: requests that fail instead are not counted."""
    return verdict(present, arrivals, 0, utilization)


@in_place_of(f"{_LOAD}:present_at", "verdicts_by_hand")
def nobody_leaves(instants_ns: Integers, arrivals_ns: Integers, ends_ns: Integers) -> Integers:
    """Requests that have ended count as present."""
    return arrivals_ns.searchsorted(instants_ns, side="right")


@in_place_of("sim.measure.analysis.readiness:ReplicaUse.utilization", "slots_by_hand")
def replica_has_one_worker(self: ReplicaUse, workers: int = 1) -> float | None:
    """A replica's utilization is that of one worker, however many it has."""
    return self.busy_while_ready_ns / self.ready_ns if self.ready_ns else None


def _times_speed(self: ModelView) -> Floats:
    speeds = self.view.facts.speeds[self.model]
    multiplied: Floats = self.completed * np.array([speeds[key.node] for key in self.replicas.values()])
    return multiplied


slow_node_counts_as_fast = Mutant(
    "slow_node_counts_as_fast",
    "sim.measure.catalogue.view:ModelView.completed_per_speed",
    "Requests are multiplied by the speed of their node, where they should be divided by it.",
    property(_times_speed),
    ("figures_by_hand",),
)


@in_place_of("sim.measure.recording.recorder:Recorder._beginning", "prefix_entries_outlive_replica")
def all_replicas_read_what_one_has_read(self: Recorder, request: Request) -> tuple[int, int]:
    """A prompt counts as lost if any replica has read its beginning before."""
    return 0, request.chain[0]


@in_place_of("sim.measure.recording.recorder:Recorder._beginning", "prefix_entries_outlive_replica")
def no_two_prompts_begin_alike(self: Recorder, request: Request) -> tuple[int, int]:
    """A prompt counts as lost only if the very same request has been read before."""
    return request.id, request.chain[0]
