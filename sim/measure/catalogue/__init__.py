"""The metrics: one page a family, and the catalogue of them all, which everything that names a metric reads."""

from sim.measure.catalogue.catalogue import CATALOGUE, VOCABULARY, metric_of
from sim.measure.catalogue.metric import Better, Metric, ModelMetric, ReplicaMetric, RunMetric, Shown, Unit
from sim.measure.catalogue.view import ModelView, View

__all__ = [
    "CATALOGUE",
    "VOCABULARY",
    "Better",
    "Metric",
    "ModelMetric",
    "ModelView",
    "ReplicaMetric",
    "RunMetric",
    "Shown",
    "Unit",
    "View",
    "metric_of",
]
