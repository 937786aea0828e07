"""Every metric there is, page by page, in the order in which summaries and tables have them."""

from sim.measure.catalogue import (
    bursts,
    checks,
    fairness,
    fleet,
    load,
    prefix,
    probes,
    registry,
    replicas,
    requests,
    rows,
    times,
)
from sim.measure.catalogue.metric import Metric, ModelMetric, ReplicaMetric, RunMetric
from sim.scenario.vocabulary import Vocabulary

CATALOGUE: tuple[Metric, ...] = (
    *requests.METRICS,
    *fairness.METRICS,
    *bursts.METRICS,
    *times.METRICS,
    *load.METRICS,
    *prefix.METRICS,
    *probes.METRICS,
    *checks.METRICS,
    *rows.METRICS,
    *fleet.METRICS,
    *registry.METRICS,
    *replicas.METRICS,
)

VOCABULARY = Vocabulary(
    of_run=tuple(metric.name for metric in CATALOGUE if isinstance(metric, RunMetric)),
    of_model=tuple(metric.name for metric in CATALOGUE if isinstance(metric, ModelMetric)),
    of_replica=tuple(metric.name for metric in CATALOGUE if isinstance(metric, ReplicaMetric)),
)
"""What an expectation may ask for."""

_BY_NAME = {metric.name: metric for metric in CATALOGUE}


def metric_of(name: str) -> Metric:
    """Return the entry behind the full name of a figure, as `models.qwen3.fairness.jain`. Raises KeyError."""
    asked = VOCABULARY.ask(name)
    if asked is None:
        raise KeyError(name)
    return _BY_NAME[asked.metric]
