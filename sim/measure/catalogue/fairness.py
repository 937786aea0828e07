"""How evenly the completed requests of a model, and the time they took, fell on its replicas."""

from collections.abc import Callable
from typing import NamedTuple

from sim.measure.analysis import fairness
from sim.measure.catalogue.metric import Better, ModelMetric, Shown, Unit
from sim.measure.catalogue.view import ModelView
from sim.measure.recording.records import Floats, Integers


class _Index(NamedTuple):
    """A measure of evenness over one figure per replica."""

    name: str
    unit: Unit
    better: Better
    sentence: str
    of: Callable[[Integers | Floats], float]
    in_tables: bool = False


_INDICES = (
    _Index(
        "busiest_share",
        Unit.SHARE,
        Better.LOWER,
        "the busiest replica's part of the completed requests",
        fairness.busiest_share,
        in_tables=True,
    ),
    _Index(
        "jain",
        Unit.INDEX,
        Better.HIGHER,
        "Jain's index of the completed requests per replica: 1 if even, 1/k if one of k does all",
        fairness.jain,
        in_tables=True,
    ),
    _Index(
        "max_over_mean",
        Unit.RATIO,
        Better.LOWER,
        "most completed requests of a replica over the mean",
        fairness.max_over_mean,
    ),
    _Index(
        "cv",
        Unit.RATIO,
        Better.LOWER,
        "coefficient of variation of the completed requests per replica: 0 if even",
        fairness.cv,
    ),
    _Index(
        "gini",
        Unit.INDEX,
        Better.LOWER,
        "Gini coefficient of the completed requests per replica: 0 if even",
        fairness.gini,
    ),
    _Index(
        "entropy",
        Unit.INDEX,
        Better.HIGHER,
        "entropy of the replicas' shares of the completed requests, over that of an even split",
        fairness.entropy,
    ),
)


def _over_requests(index: _Index) -> ModelMetric:
    return ModelMetric(
        f"fairness.{index.name}",
        index.unit,
        index.better,
        index.sentence,
        lambda model: index.of(model.completed) if model.served_by.size else None,
        shown=Shown.ALWAYS if index.in_tables else Shown.IF_EXPECTED,
    )


def _over_busy_time(index: _Index) -> ModelMetric:
    return ModelMetric(
        f"fairness.busy_{index.name}",
        index.unit,
        index.better,
        f"as `fairness.{index.name}`, of the time for which each replica served completed requests",
        lambda model: index.of(model.busy_ns) if model.busy_ns.any() else None,
        shown=Shown.IF_SPEEDS_DIFFER if index.in_tables else Shown.IF_EXPECTED,
    )


def _over_capacity(index: _Index) -> ModelMetric:
    return ModelMetric(
        f"fairness.capacity_{index.name}",
        index.unit,
        index.better,
        f"as `fairness.{index.name}`, of each replica's completed requests over its node's speed, "
        "which is the decode rate where the service is a profile",
        lambda model: index.of(model.completed_per_speed) if model.served_by.size else None,
        shown=Shown.IF_EXPECTED,
    )


def _jain_of_random_split(model: ModelView) -> float | None:
    if not model.served_by.size:
        return None
    return fairness.jain_of_random_split(model.served_by.size, len(model.replicas))


def _longest_streak(model: ModelView) -> int | None:
    return fairness.longest_streak(model.served_by) if model.served_by.size else None


_BY_REQUESTS = {index.name: _over_requests(index) for index in _INDICES}

METRICS = (
    *_BY_REQUESTS.values(),
    ModelMetric(
        "fairness.jain_random",
        Unit.INDEX,
        Better.NEITHER,
        "mean of Jain's index if as many requests went to replicas at random: the noise floor of `fairness.jain`, of "
        "the same model",
        _jain_of_random_split,
        shown=Shown.ALWAYS,
        follows=_BY_REQUESTS["jain"],
    ),
    ModelMetric(
        "fairness.longest_streak",
        Unit.COUNT,
        Better.LOWER,
        "most completed requests in a row, by arrival, on one replica",
        _longest_streak,
    ),
    *(_over_busy_time(index) for index in _INDICES),
    *(_over_capacity(index) for index in _INDICES),
)
