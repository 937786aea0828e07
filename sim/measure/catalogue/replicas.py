"""Each replica's part."""

from sim.measure.catalogue.metric import Better, ReplicaMetric, Unit
from sim.measure.catalogue.view import ModelView


def share(model: ModelView, code: int) -> float | None:
    """Return the replica's part of its model's completed requests; None if there were none."""
    return model.completed_by(code) / model.served_by.size if model.served_by.size else None


def utilization(model: ModelView, code: int) -> float | None:
    """Return the part of its ready time in the window that each of the replica's workers served.

    None if it was never ready, or if the run recorded no start of service.
    """
    view = model.view
    if code not in view.use or not view.has_starts:
        return None
    return view.use[code].utilization(view.facts.workers.get(model.model, 1))


METRICS = (
    ReplicaMetric("requests", Unit.COUNT, Better.NEITHER, "completed requests of the replica", ModelView.completed_by),
    ReplicaMetric("share", Unit.SHARE, Better.NEITHER, "the replica's part of its model's completed requests", share),
    ReplicaMetric(
        "utilization",
        Unit.SHARE,
        Better.NEITHER,
        "the part of the replica's ready time that each of its workers served",
        utilization,
    ),
)
