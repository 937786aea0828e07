"""The health calls of the request path."""

from collections.abc import Callable

import numpy as np

from sim.measure.catalogue.metric import Better, RunMetric, Shown, Unit
from sim.measure.catalogue.view import View
from sim.routing.outcomes import AnswerSource, ProbeOutcome


def _ended(outcome: ProbeOutcome) -> Callable[[View], int]:
    return lambda view: int(np.count_nonzero(view.probes["outcome"] == outcome))


def _vouched_by(source: AnswerSource) -> Callable[[View], int]:
    return lambda view: int(np.count_nonzero(view.picks["source"] == source))


def _false_dead(view: View) -> int:
    said_dead = view.probes["outcome"] != ProbeOutcome.OK
    return int(np.count_nonzero(said_dead & (view.probes["process_alive"] == 1)))


METRICS = (
    RunMetric(
        "probes.sent",
        Unit.COUNT,
        Better.LOWER,
        "health calls that were sent; each is one that a request waits for",
        lambda view: len(view.probes["outcome"]),
        label="probes sent",
        shown=Shown.ALWAYS,
    ),
    RunMetric(
        "probes.ok", Unit.COUNT, Better.NEITHER, "health calls that were answered in time", _ended(ProbeOutcome.OK)
    ),
    RunMetric(
        "probes.timeouts",
        Unit.COUNT,
        Better.LOWER,
        "health calls that were not answered in time",
        _ended(ProbeOutcome.TIMEOUT),
        label="probes timed out",
        shown=Shown.ALWAYS,
    ),
    RunMetric(
        "probes.failed",
        Unit.COUNT,
        Better.LOWER,
        "health calls that were refused, or cut short because their caller left",
        _ended(ProbeOutcome.FAILED),
    ),
    RunMetric(
        "probes.coalesced",
        Unit.COUNT,
        Better.NEITHER,
        "picks that waited for a health call of another request",
        _vouched_by(AnswerSource.SHARED),
        label="probes coalesced",
        shown=Shown.ALWAYS,
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
    ),
)
