"""What became of the requests."""

from collections.abc import Callable

import numpy as np

from sim.measure.analysis.outdated import served_outdated
from sim.measure.catalogue.metric import Better, RunMetric, Shown, Unit
from sim.measure.catalogue.subject import ANY_RUN, EDITS
from sim.measure.catalogue.view import View
from sim.measure.recording.events import EventKind, are
from sim.measure.recording.records import MISSING
from sim.routing.errors import WrongModel
from sim.routing.outcomes import Outcome

WRONG_MODEL = WrongModel.__name__
"""The cause of a request's failure at a process that held another model."""


def _ended(outcome: int) -> Callable[[View], int]:
    return lambda view: int(np.count_nonzero(view.requests["outcome"] == outcome))


def _misrouted(view: View) -> int:
    cause = view.records.causes.get(WRONG_MODEL)
    return 0 if cause is None else int(np.count_nonzero(view.requests["cause"] == cause))


def _outdated(view: View) -> int:
    return int(np.count_nonzero(served_outdated(view.records, view.requests)))


def _retries(view: View) -> int:
    return int(np.count_nonzero(are(view.events, EventKind.CALL_RETRIED)))


METRICS = (
    RunMetric(
        "requests.offered",
        Unit.COUNT,
        Better.NEITHER,
        "requests that arrived",
        lambda view: len(view.requests["arrival_ns"]),
        shown=Shown.ALWAYS,
        subject=ANY_RUN,
    ),
    RunMetric(
        "requests.completed",
        Unit.COUNT,
        Better.HIGHER,
        "requests that got their last token",
        _ended(Outcome.COMPLETED),
        shown=Shown.ALWAYS,
    ),
    RunMetric(
        "requests.failed",
        Unit.COUNT,
        Better.LOWER,
        "requests that ended with an error",
        _ended(Outcome.FAILED),
        shown=Shown.IF_ANY,
    ),
    RunMetric(
        "requests.misrouted",
        Unit.COUNT,
        Better.LOWER,
        "failed requests that had reached a process of another model",
        _misrouted,
        shown=Shown.IF_ANY,
    ),
    RunMetric(
        "requests.retries",
        Unit.COUNT,
        Better.LOWER,
        "failed calls that the router made again on another replica",
        _retries,
        shown=Shown.IF_ANY,
    ),
    RunMetric(
        "requests.rejected",
        Unit.COUNT,
        Better.LOWER,
        "requests that were turned away",
        _ended(Outcome.REJECTED),
        shown=Shown.IF_ANY,
    ),
    RunMetric(
        "requests.cancelled",
        Unit.COUNT,
        Better.LOWER,
        "requests whose client left",
        _ended(Outcome.CANCELLED),
        shown=Shown.IF_ANY,
    ),
    RunMetric(
        "requests.unfinished",
        Unit.COUNT,
        Better.LOWER,
        "requests that had not ended when the run did",
        _ended(MISSING),
        shown=Shown.IF_ANY,
    ),
    RunMetric(
        "requests.outdated",
        Unit.COUNT,
        Better.LOWER,
        "requests that were served with options of their model that had been edited by then",
        _outdated,
        shown=Shown.IF_ANY,
        subject=EDITS,
    ),
)
