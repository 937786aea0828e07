"""The fleet as a whole: how it was scaled, which nodes were given up, which faults struck."""

import numpy as np

from sim.measure.analysis.fleet import below_minimum_ns, detections_ns
from sim.measure.catalogue.metric import Better, RunMetric, Shown, Unit
from sim.measure.catalogue.subject import ANY_RUN, LOOPS
from sim.measure.catalogue.view import View
from sim.measure.recording.events import ADDED, TAKEN_AWAY, EventKind, Flag, are, happened, status_flag, values
from sim.routing.fleet import NodeStatus
from sim.routing.units import NS_PER_S


def _ups(view: View) -> int:
    return happened(view.records, view.events, EventKind.ROW_PUBLISHED, ADDED)


def _downs(view: View) -> int:
    return happened(view.records, view.events, EventKind.ROW_REMOVED, TAKEN_AWAY)


def _below_min_s(view: View) -> float | None:
    minimums = view.facts.minimums
    if not minimums:
        return None
    return below_minimum_ns(view.records, minimums, view.span.opens_ns, view.span.closes_ns) / NS_PER_S


def _offline(view: View) -> int:
    return int(np.count_nonzero(values(view.events, Flag.STATUS) == status_flag(NodeStatus.OFFLINE)))


def _detection_max_s(view: View) -> float | None:
    detections = detections_ns(view.records) if view.span.is_whole_run else []
    return max(detections) / NS_PER_S if detections else None


METRICS = (
    RunMetric(
        "scaling.ups",
        Unit.COUNT,
        Better.NEITHER,
        "replicas that the reconciler had loaded",
        _ups,
        shown=Shown.IF_ANY,
        subject=LOOPS,
    ),
    RunMetric(
        "scaling.downs",
        Unit.COUNT,
        Better.NEITHER,
        "replicas whose rows the reconciler deleted because they were idle",
        _downs,
        shown=Shown.IF_ANY,
        subject=LOOPS,
    ),
    RunMetric(
        "scaling.below_min_s",
        Unit.SECONDS,
        Better.LOWER,
        "time for which models had fewer replicas to serve than their minimum, summed over the models",
        _below_min_s,
        shown=Shown.IF_ANY,
        subject=LOOPS,
    ),
    RunMetric(
        "nodes.offline",
        Unit.COUNT,
        Better.NEITHER,
        "times that the registry took a node for offline",
        _offline,
        shown=Shown.IF_ANY,
        subject=LOOPS,
    ),
    RunMetric(
        "nodes.detection_max_s",
        Unit.SECONDS,
        Better.LOWER,
        "longest time from a node's crash until it was taken for offline; only over the whole run",
        _detection_max_s,
        shown=Shown.ALWAYS,
        subject=LOOPS,
    ),
    RunMetric(
        "faults.struck",
        Unit.COUNT,
        Better.NEITHER,
        "times that a fault took effect",
        lambda view: int(np.count_nonzero(are(view.events, EventKind.FAULT_STRUCK))),
        shown=Shown.IF_ANY,
        subject=ANY_RUN,
    ),
)
