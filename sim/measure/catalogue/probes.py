"""The health calls: those that requests wait for, and those of the background loops."""

from collections.abc import Callable

import numpy as np

from sim.measure.catalogue.metric import Better, RunMetric, Shown, Unit
from sim.measure.catalogue.subject import LOOP_PROBES, LOOPS, PROBES
from sim.measure.catalogue.view import View
from sim.measure.recording.records import MISSING, Booleans
from sim.routing.outcomes import AnswerSource, ProbeOutcome


def _of_requests(view: View) -> Booleans:
    """Tell of each probe whether a request waited for it; else a loop sent it."""
    of_request: Booleans = view.probes["request"] != MISSING
    return of_request


def _sent(view: View) -> int:
    return int(np.count_nonzero(_of_requests(view)))


def _ended(outcome: ProbeOutcome) -> Callable[[View], int]:
    return lambda view: int(np.count_nonzero(_of_requests(view) & (view.probes["outcome"] == outcome)))


def _sent_by_loops(view: View) -> int | None:
    return int(np.count_nonzero(~_of_requests(view))) if view.facts.has_loops else None


def _ended_for_loops(outcome: ProbeOutcome) -> Callable[[View], int | None]:
    def count(view: View) -> int | None:
        ended = ~_of_requests(view) & (view.probes["outcome"] == outcome)
        return int(np.count_nonzero(ended)) if view.facts.has_loops else None

    return count


def _vouched_by(source: AnswerSource) -> Callable[[View], int]:
    return lambda view: int(np.count_nonzero(view.picks["source"] == source))


def _false_dead(view: View) -> int:
    said_dead = _of_requests(view) & (view.probes["outcome"] != ProbeOutcome.OK)
    return int(np.count_nonzero(said_dead & (view.probes["process_alive"] == 1)))


METRICS = (
    RunMetric(
        "probes.sent",
        Unit.COUNT,
        Better.LOWER,
        "health calls that were sent; each is one that a request waits for",
        _sent,
        shown=Shown.IF_ANY,
    ),
    RunMetric(
        "probes.ok",
        Unit.COUNT,
        Better.NEITHER,
        "health calls that were answered in time",
        _ended(ProbeOutcome.OK),
        subject=PROBES,
    ),
    RunMetric(
        "probes.timeouts",
        Unit.COUNT,
        Better.LOWER,
        "health calls that were not answered in time",
        _ended(ProbeOutcome.TIMEOUT),
        shown=Shown.IF_ANY,
        subject=PROBES,
    ),
    RunMetric(
        "probes.failed",
        Unit.COUNT,
        Better.LOWER,
        "health calls that were refused, or cut short because their caller left",
        _ended(ProbeOutcome.FAILED),
        subject=PROBES,
    ),
    RunMetric(
        "probes.coalesced",
        Unit.COUNT,
        Better.NEITHER,
        "picks that waited for a health call of another request",
        _vouched_by(AnswerSource.SHARED),
        shown=Shown.IF_ANY,
    ),
    RunMetric(
        "probes.cache_hits",
        Unit.COUNT,
        Better.NEITHER,
        "picks that needed no health call, because one had succeeded lately",
        _vouched_by(AnswerSource.FRESH),
    ),
    RunMetric(
        "probes.false_dead",
        Unit.COUNT,
        Better.LOWER,
        "health calls that timed out or failed though the process was alive",
        _false_dead,
        subject=PROBES,
    ),
    RunMetric(
        "probes.loops_sent",
        Unit.COUNT,
        Better.NEITHER,
        "health calls that background loops sent",
        _sent_by_loops,
        shown=Shown.IF_ANY,
        subject=LOOPS,
    ),
    RunMetric(
        "probes.loops_ok",
        Unit.COUNT,
        Better.NEITHER,
        "health calls of background loops that were answered in time",
        _ended_for_loops(ProbeOutcome.OK),
        subject=LOOP_PROBES,
    ),
    RunMetric(
        "probes.loops_timeouts",
        Unit.COUNT,
        Better.LOWER,
        "health calls of background loops that were not answered in time",
        _ended_for_loops(ProbeOutcome.TIMEOUT),
        shown=Shown.IF_ANY,
        subject=LOOP_PROBES,
    ),
    RunMetric(
        "probes.loops_failed",
        Unit.COUNT,
        Better.LOWER,
        "health calls of background loops that were refused, or cut short because their frontend crashed",
        _ended_for_loops(ProbeOutcome.FAILED),
        subject=LOOP_PROBES,
    ),
)
