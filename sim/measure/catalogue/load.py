"""Offered work against capacity, and whether requests pile up: figures of time are steady only if they do not."""

from collections.abc import Mapping

import numpy as np

from sim.measure.analysis.load import INSTANTS, LEAST_ARRIVALS, present_at, verdict
from sim.measure.analysis.readiness import ReplicaUse, replica_use
from sim.measure.catalogue.metric import Better, ModelMetric, Shown, Unit
from sim.measure.catalogue.view import ModelView, View
from sim.measure.recording.records import Integers


def utilization(model: ModelView) -> float | None:
    """Return the arrivals times the mean service, over the time of all workers while requests may arrive.

    A worker's time is that for which its replica was ready, and that for which it served on after its row was removed.
    None if there was no such time, nothing was completed, or the run recorded no start of service.
    """
    opens_ns, closes_ns = _arriving_ns(model.view)
    if closes_ns <= opens_ns or not model.served_by.size or not model.view.has_starts:
        return None
    workers = model.view.facts.workers.get(model.model, 1)
    of_model = (use for code, use in model.view.once(_use).items() if model.view.keys[code].model == model.model)
    capacity_ns = sum(use.ready_ns * workers + use.busy_ns - use.busy_while_ready_ns for use in of_model)
    if not capacity_ns:
        return None
    return model.arrivals_ns.size * float(model.service_ns.mean()) / capacity_ns


def load_verdict(model: ModelView) -> int | None:
    """Return the number of the verdict; None if too few requests arrived to tell."""
    opens_ns, closes_ns = _arriving_ns(model.view)
    if closes_ns <= opens_ns or model.arrivals_ns.size < LEAST_ARRIVALS:
        return None
    steps: Integers = np.arange(1, INSTANTS + 1)
    instants_ns = opens_ns + (closes_ns - opens_ns) * steps // INSTANTS
    present = present_at(instants_ns, *model.lifetimes_ns)
    arrivals = model.arrivals_ns.size
    return int(verdict(present, arrivals, arrivals - model.served_by.size, utilization(model)))


def _use(view: View) -> Mapping[int, ReplicaUse]:
    """Return how much each replica worked while requests might arrive, by replica code."""
    return replica_use(view.records, view.ready, *_arriving_ns(view), view.span.end_ns)


def _arriving_ns(view: View) -> tuple[int, int]:
    return view.span.opens_ns, min(view.span.closes_ns, view.facts.duration_ns)


METRICS = (
    ModelMetric(
        "load.utilization",
        Unit.SHARE,
        Better.LOWER,
        "offered work over capacity while requests may arrive: arrivals times the mean service, over the time for "
        "which workers were ready, or served without a row; more than 1 cannot be served in that time",
        utilization,
        shown=Shown.ALWAYS,
    ),
    ModelMetric(
        "load.verdict",
        Unit.VERDICT,
        Better.LOWER,
        "0 stable; 1 backlogged: requests pile up though the replicas together could serve them; 2 overloaded: they "
        "are too many, and pile up or go unserved. Absent below 100 arrivals",
        load_verdict,
        shown=Shown.ALWAYS,
    ),
)
