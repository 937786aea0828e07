"""The part of a run that is about one model: shares and fairness are a matter within a model."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from sim.measure.analysis.readiness import ReadyTime, ready_times
from sim.measure.recording.records import MISSING, Integers
from sim.measure.result import RunResult
from sim.report.plots.look.palette import natural
from sim.scenario.text.errors import did_you_mean, found, listed


def asked_model(result: RunResult, model: str | None) -> str:
    """Return the model, or the one that most requests asked for if it is None; of equals, the scenario's first.

    Raises ValueError for a model that the run does not have.
    """
    models = result.facts.models
    if model is None:
        counts = result.requests["model"].value_counts()
        return max(models, key=lambda name: int(counts.get(name, 0)))
    if model not in models:
        raise ValueError(f"{found(model)} is not a model; allowed: {listed(models)}{did_you_mean(model, models)}")
    return model


class RecordedRequests(NamedTuple):
    """A model's requests in the order of arrival, as codes and nanoseconds, with what they could be routed to."""

    arrivals_ns: Integers
    replicas: Integers
    """The code of each request's replica; MISSING without a route."""
    ready: Mapping[int, ReadyTime]
    """By the code of each replica of the model: when it could be picked."""


def recorded_requests(result: RunResult, model: str | None) -> RecordedRequests:
    """Return the requests of the model as they were recorded. Raises ValueError for a model that the run lacks."""
    name, records = asked_model(result, model), result.records
    mine = records.requests["model"] == records.models.get(name, MISSING)
    keys = list(records.replicas)
    ready = {code: time for code, time in ready_times(records).items() if keys[code].model == name}
    return RecordedRequests(records.requests["arrival_ns"][mine], records.requests["replica"][mine], ready)


def requests_of(result: RunResult, model: str | None) -> pd.DataFrame:
    """Return the requests of the model, with no other replicas than its own among the names. Raises ValueError."""
    requests = result.requests
    chosen = requests[requests["model"] == asked_model(result, model)].copy()
    chosen["replica"] = chosen["replica"].cat.remove_unused_categories()
    return chosen


def replicas_of(result: RunResult, model: str | None) -> list[str]:
    """Return the labels of the model's replicas in the order of their colours. Raises ValueError."""
    replicas = result.replicas
    return sorted(replicas.loc[replicas["model"] == asked_model(result, model), "replica"], key=natural)


def who(result: RunResult, model: str | None) -> str:
    """Return what a title names in brackets: the variant, or the scenario if that is all, and the model if one of many.

    Raises ValueError for a model that the run does not have.
    """
    name = result.scenario if result.variant == "default" else result.variant
    return f"{name}, {asked_model(result, model)}" if result.facts.several_models else name
