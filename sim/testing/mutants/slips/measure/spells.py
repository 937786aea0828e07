"""Slips in figures that add up times or shares: what waits, what is read, when a spell begins and ends."""

from collections.abc import Mapping

import numpy as np

from sim.measure.analysis.fleet import orphaned_ns
from sim.measure.analysis.readiness import ReadyTime, ReplicaUse
from sim.measure.catalogue.metric import Better, ModelMetric
from sim.measure.catalogue.view import View
from sim.measure.recording.events import EventKind, Flag, are, status_flag, values
from sim.measure.recording.recorder import Recorder
from sim.measure.recording.records import Integers, Records, Table
from sim.measure.statistics import percentiles
from sim.measure.window import Rows
from sim.routing.fleet import NodeStatus
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.units import NS_PER_S
from sim.testing.mutants.mutant import in_place_of
from sim.testing.mutants.slips.measure.wrong_metric import wrong_metric

_OFFLINE = status_flag(NodeStatus.OFFLINE)


def _p99_s(view: View) -> float | None:
    waits_ns = view.records.lock_waits["wait_ns"]
    if not view.totals.transactions or not view.span.is_whole_run:
        return None
    return percentiles(waits_ns, (99,))[0] / NS_PER_S if waits_ns.size else 0.0


only_those_that_waited_count = wrong_metric(
    "only_those_that_waited_count",
    "registry.lock_wait_p99_s",
    "The percentile of the waits for locks is that of the transactions that had to wait.",
    _p99_s,
    "journeys_by_hand",
)


def _recalled_over_read(view: View) -> float | None:
    recalled, read = (
        int(np.sum(view.events["flag"][are(view.events, kind)]))
        for kind in (EventKind.BLOCKS_RECALLED, EventKind.BLOCKS_READ)
    )
    return recalled / read if read else None


hits_over_misses = wrong_metric(
    "hits_over_misses",
    "prefix.hit_share",
    "The cached blocks are divided by those that were read, not by all.",
    _recalled_over_read,
    "engines_by_hand",
)


@in_place_of("sim.measure.analysis.readiness:ReadyTime.touches", "rows_by_hand")
def gone_at_the_start_is_ready(self: ReadyTime, opens_ns: int, closes_ns: int) -> bool:
    """A replica whose row went at the very start of the window counts: `>=` for `>`."""
    return bool(np.any((self.starts <= closes_ns) & (self.stops >= opens_ns)))


@in_place_of("sim.measure.catalogue.metric:ModelMetric._worst_model", "rows_by_hand")
def best_model_speaks_for_all(self: ModelMetric, view: View, by_model: Mapping[str, float]) -> str:
    """The figure of several models is that of the best one."""
    best = max if self.better is Better.HIGHER else min
    return best(by_model, key=by_model.__getitem__)


@in_place_of("sim.measure.analysis.readiness:service_ends_ns", "journeys_by_hand")
def service_ends_with_the_answer(requests: Table | Rows) -> Integers:
    """A request occupies its worker until its client has the answer."""
    return np.asarray(requests["end_ns"])


@in_place_of("sim.measure.catalogue.rows:orphaned_ns", "rows_by_hand")
def orphans_count_from_their_beginning(records: Records, opens_ns: int, end_ns: int) -> int:
    """A process that was an orphan before the window's beginning counts from there on."""
    return orphaned_ns(records, 0, end_ns)


@in_place_of("sim.measure.catalogue.fleet:detections_ns", "monitors_by_hand")
def detection_counts_from_the_beginning(records: Records) -> list[int]:
    """The time until a crash is noticed counts from the run's beginning, not from the crash."""
    return [int(t_ns) for t_ns in records.events["t_ns"][values(records.events, Flag.STATUS) == _OFFLINE]]


@in_place_of("sim.measure.recording.recorder:Recorder.retried", "second_call_by_hand")
def failed_call_leaves_its_times(self: Recorder, request: Request, key: ReplicaKey, cause: str) -> None:
    """A request whose second call never begins keeps the times of its first one."""
    self._happened(EventKind.CALL_RETRIED, key, cause, request=request.id)


@in_place_of("sim.measure.analysis.readiness:ReplicaUse.utilization", "returns_by_hand")
def one_worker_is_all(self: ReplicaUse, workers: int = 1) -> float | None:
    """A replica with several workers is in full use when one of them is."""
    return self.busy_while_ready_ns / self.ready_ns if self.ready_ns else None


@in_place_of("sim.measure.analysis.readiness:ReadyTime.up_to", "returns_by_hand")
def time_without_a_row_is_ready(self: ReadyTime, t_ns: Integers) -> Integers:
    """A replica whose row went and came back counts as ready in between."""
    first = self.starts[0] if self.starts.size else t_ns
    last = self.stops[-1] if self.stops.size else t_ns
    return np.asarray(np.clip(t_ns, first, last) - first)


@in_place_of("sim.measure.catalogue.rows:orphaned_ns", "returns_by_hand")
def orphans_count_past_the_end(records: Records, opens_ns: int, end_ns: int) -> int:
    """A process that is an orphan beyond the window's end counts to the end of its time as one."""
    return orphaned_ns(records, opens_ns, int(records.events["t_ns"].max(initial=end_ns)))
