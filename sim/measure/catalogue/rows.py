"""Rows of replicas that went, the processes they left, and what was installed and loaded in their place."""

from collections.abc import Callable

import numpy as np

from sim.measure.analysis.fleet import orphaned_ns, stale_ns
from sim.measure.analysis.outdated import outdated_ns
from sim.measure.catalogue.metric import Better, RunMetric, Shown, Unit
from sim.measure.catalogue.subject import EDITS, REQUESTS_OR_LOOPS
from sim.measure.catalogue.view import View
from sim.measure.recording.events import EVICTED, EventKind, Flag, are, happened, values
from sim.measure.recording.records import MISSING
from sim.routing.units import NS_PER_S


def _happened(kind: EventKind) -> Callable[[View], int]:
    return lambda view: int(np.count_nonzero(are(view.events, kind)))


def _redundant(kind: EventKind) -> Callable[[View], int]:
    return lambda view: int(np.count_nonzero(are(view.events, kind) & (values(view.events, Flag.REDUNDANT) == 1)))


def _removed_alive(view: View) -> int:
    return int(np.count_nonzero(values(view.events, Flag.PROCESS_ALIVE) == 1))


def _misplaced(view: View) -> int:
    published, matching = are(view.events, EventKind.ROW_PUBLISHED), view.facts.matching_nodes
    keys = [view.keys[code] for code in view.events["replica"][published].tolist()]
    return sum(key.node not in matching.get(key.model, (key.node,)) for key in keys)


def _evicted(view: View) -> int:
    return happened(view.records, view.events, EventKind.ROW_REMOVED, EVICTED)


def _stale_s(view: View) -> float | None:
    if not np.any(are(view.records.events, EventKind.PROCESS_ENDED)):
        return None
    return stale_ns(view.records, view.ready, view.span.opens_ns, view.span.closes_ns) / NS_PER_S


def _orphaned_s(view: View) -> float:
    return orphaned_ns(view.records, view.span.opens_ns, view.span.closes_ns) / NS_PER_S


def _outdated_s(view: View) -> float:
    return outdated_ns(view.records, view.span.opens_ns, view.span.closes_ns) / NS_PER_S


def _loads_failed(view: View) -> int:
    return int(np.count_nonzero(are(view.events, EventKind.LOAD_ENDED) & (view.events["cause"] != MISSING)))


METRICS = (
    RunMetric(
        "rows.removed",
        Unit.COUNT,
        Better.NEITHER,
        "rows of replicas that were deleted",
        _happened(EventKind.ROW_REMOVED),
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "rows.removed_alive",
        Unit.COUNT,
        Better.LOWER,
        "deleted rows whose process was alive",
        _removed_alive,
        shown=Shown.IF_ANY,
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "rows.stale_s",
        Unit.SECONDS,
        Better.LOWER,
        "time for which rows could be picked after their process had ended, summed over the rows",
        _stale_s,
        shown=Shown.IF_ANY,
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "processes.orphaned_s",
        Unit.SECONDS,
        Better.LOWER,
        "time for which processes went on after their rows had been deleted, summed over the processes",
        _orphaned_s,
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "processes.outdated_s",
        Unit.SECONDS,
        Better.LOWER,
        "time for which processes kept the options that their model had before an edit, summed over the processes",
        _outdated_s,
        shown=Shown.IF_ANY,
        subject=EDITS,
    ),
    RunMetric(
        "rows.misplaced",
        Unit.COUNT,
        Better.LOWER,
        "rows of replicas on nodes without the labels that their model asks for, where no request can reach them",
        _misplaced,
        shown=Shown.IF_ANY,
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "rows.evicted",
        Unit.COUNT,
        Better.NEITHER,
        "rows deleted to make room for another model",
        _evicted,
        shown=Shown.IF_ANY,
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "installs.started",
        Unit.COUNT,
        Better.NEITHER,
        "processes that were asked for",
        _happened(EventKind.INSTALL_STARTED),
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "installs.redundant",
        Unit.COUNT,
        Better.LOWER,
        "processes that were asked for though they were running",
        _redundant(EventKind.INSTALL_STARTED),
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "loads.started",
        Unit.COUNT,
        Better.NEITHER,
        "model loads that were asked for",
        _happened(EventKind.LOAD_STARTED),
        shown=Shown.IF_ANY,
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "loads.redundant",
        Unit.COUNT,
        Better.LOWER,
        "model loads that were asked of a process that held the model",
        _redundant(EventKind.LOAD_STARTED),
        shown=Shown.IF_ANY,
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "loads.failed",
        Unit.COUNT,
        Better.LOWER,
        "model loads that failed",
        _loads_failed,
        subject=REQUESTS_OR_LOOPS,
    ),
)
