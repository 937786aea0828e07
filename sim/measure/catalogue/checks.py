"""The liveness checks that frontends make of their own clients, beside the probes of routes."""

from collections.abc import Callable

import numpy as np

from sim.measure.catalogue.metric import Better, RunMetric, Unit
from sim.measure.catalogue.subject import CHECKS
from sim.measure.catalogue.view import View
from sim.measure.recording.events import EventKind, are, check_cause
from sim.measure.recording.records import MISSING
from sim.routing.outcomes import ProbeOutcome


def _sent(view: View) -> int:
    return int(np.count_nonzero(are(view.events, EventKind.CHECK_ENDED)))


def _ended(outcome: ProbeOutcome) -> Callable[[View], int]:
    def count(view: View) -> int:
        cause = view.records.causes.get(check_cause(outcome), MISSING)
        return int(np.count_nonzero(are(view.events, EventKind.CHECK_ENDED) & (view.events["cause"] == cause)))

    return count


METRICS = (
    RunMetric(
        "checks.sent",
        Unit.COUNT,
        Better.LOWER,
        "health calls by which frontends checked their own clients, beside the probes of routes",
        _sent,
    ),
    RunMetric(
        "checks.timeouts",
        Unit.COUNT,
        Better.LOWER,
        "such checks that were not answered in 10 s",
        _ended(ProbeOutcome.TIMEOUT),
        subject=CHECKS,
    ),
    RunMetric(
        "checks.failed",
        Unit.COUNT,
        Better.LOWER,
        "such checks that were refused",
        _ended(ProbeOutcome.FAILED),
        subject=CHECKS,
    ),
)
