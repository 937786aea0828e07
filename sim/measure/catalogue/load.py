"""Offered work against capacity, and whether requests pile up: figures of time are steady only if they do not."""

import numpy as np

from sim.measure.analysis.load import INSTANTS, LEAST_ARRIVALS, present_at, verdict
from sim.measure.catalogue.metric import Better, ModelMetric, Shown, Unit
from sim.measure.catalogue.view import ModelView
from sim.measure.recording.records import Integers


def utilization(model: ModelView) -> float | None:
    """Return the arrivals times the mean service, over the ready time of all workers while requests may arrive.

    None if there was no such time, nothing was completed, or the run recorded no start of service.
    """
    opens_ns, closes_ns = _arriving_ns(model)
    if closes_ns <= opens_ns or not model.served_by.size or not model.view.has_starts:
        return None
    edges_ns = np.array([opens_ns, closes_ns])
    ready_ns = sum(int(np.diff(time.up_to(edges_ns))[0]) for time in model.ready.values())
    capacity_ns = ready_ns * model.view.facts.workers.get(model.model, 1)
    if not capacity_ns:
        return None
    return model.arrivals_ns.size * float(model.service_ns.mean()) / capacity_ns


def load_verdict(model: ModelView) -> int | None:
    """Return the number of the verdict; None if too few requests arrived to tell."""
    opens_ns, closes_ns = _arriving_ns(model)
    if closes_ns <= opens_ns or model.arrivals_ns.size < LEAST_ARRIVALS:
        return None
    steps: Integers = np.arange(1, INSTANTS + 1)
    instants_ns = opens_ns + (closes_ns - opens_ns) * steps // INSTANTS
    present = present_at(instants_ns, *model.lifetimes_ns)
    return int(verdict(present, model.arrivals_ns.size, utilization(model)))


def _arriving_ns(model: ModelView) -> tuple[int, int]:
    span = model.view.span
    return span.opens_ns, min(span.closes_ns, model.view.facts.duration_ns)


METRICS = (
    ModelMetric(
        "load.utilization",
        Unit.SHARE,
        Better.LOWER,
        "offered work over capacity while requests may arrive: arrivals times the mean service, over the ready time of "
        "all workers; more than 1 cannot be served",
        utilization,
        shown=Shown.ALWAYS,
    ),
    ModelMetric(
        "load.verdict",
        Unit.VERDICT,
        Better.LOWER,
        "0 stable; 1 backlogged: requests pile up though the replicas together could serve them; 2 overloaded: they "
        "pile up and are too many. Absent below 100 arrivals",
        load_verdict,
        shown=Shown.ALWAYS,
    ),
)
