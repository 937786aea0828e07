"""What metrics are computed from: the records of one run as far as they lie in a window, cut out only once."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from sim.measure.analysis.readiness import ReadyTime, ReplicaUse, ready_times, replica_use, service_ends_ns
from sim.measure.facts import RunFacts, Totals
from sim.measure.recording.records import MISSING, Booleans, Floats, Integers, Records
from sim.measure.window import Rows, Span
from sim.routing.outcomes import Outcome
from sim.routing.replica import ReplicaKey

Result = TypeVar("Result")


class View:
    """One run through one window. Requests are in it by arrival, picks and events by their time, probes by start."""

    def __init__(self, records: Records, totals: Totals, facts: RunFacts, span: Span) -> None:
        self.records = records
        self.totals = totals
        self.facts = facts
        self.span = span
        self._results: dict[Callable[[View], Any], Any] = {}

    def once(self, compute: Callable[["View"], Result]) -> Result:
        """Return what the function makes of this view; it is called the first time only."""
        if compute not in self._results:
            self._results[compute] = compute(self)
        result: Result = self._results[compute]
        return result

    @cached_property
    def requests(self) -> Rows:
        """The requests that arrived in the window."""
        return self.span.rows(self.records.requests, "arrival_ns")

    @cached_property
    def picks(self) -> Rows:
        """The picks of the window."""
        return self.span.rows(self.records.picks, "t_ns")

    @cached_property
    def probes(self) -> Rows:
        """The probes that started in the window."""
        return self.span.rows(self.records.probes, "start_ns")

    @cached_property
    def events(self) -> Rows:
        """The events of the window."""
        return self.span.rows(self.records.events, "t_ns")

    @cached_property
    def has_starts(self) -> bool:
        """Whether the run recorded when service began."""
        return bool(np.any(self.records.requests["start_ns"] != MISSING))

    @cached_property
    def keys(self) -> list[ReplicaKey]:
        """Every replica of the run, at the place of its code."""
        return list(self.records.replicas)

    @cached_property
    def ready(self) -> Mapping[int, ReadyTime]:
        """When each replica that had a row could be picked in the whole run, by replica code."""
        return ready_times(self.records)

    @cached_property
    def use(self) -> Mapping[int, ReplicaUse]:
        """How much each replica worked in the window, by replica code."""
        return replica_use(self.records, self.ready, self.span.opens_ns, self.span.closes_ns, self.span.end_ns)

    @cached_property
    def models(self) -> tuple["ModelView", ...]:
        """The part of each model of the scenario."""
        return tuple(ModelView(self, model) for model in self.facts.models)


class ModelView:
    """What one model's requests and replicas did in the window.

    A replica counts if it was ready at some time between the window's start and the model's last arrival in it, or
    completed a request that arrived in it.
    """

    def __init__(self, view: View, model: str) -> None:
        self.view = view
        self.model = model
        mine = view.requests["model"] == view.records.models.get(model, MISSING)
        self.arrivals_ns: Integers = _only(mine, view.requests["arrival_ns"])
        """Of each request, shape (requests,), ascending."""
        self.sent_to: Integers = _only(mine, view.requests["replica"])
        """The replica code of each request, MISSING for those without a route; shape (requests,)."""
        completed = (_only(mine, view.requests["outcome"]) == Outcome.COMPLETED) & (self.sent_to != MISSING)
        self.served_by: Integers = _only(completed, self.sent_to)
        """The replica code of each completed request, in the order of arrival; shape (completed,)."""
        starts_ns = _only(mine, view.requests["start_ns"])
        ends_ns = _only(mine, service_ends_ns(view.requests))
        self.service_ns: Integers = _only(completed, np.where(starts_ns == MISSING, 0, ends_ns - starts_ns))
        """How long each completed request was served; same shape."""

    @cached_property
    def ready(self) -> Mapping[int, ReadyTime]:
        """When each replica of the model could be picked, by replica code."""
        return {code: time for code, time in self.view.ready.items() if self.view.keys[code].model == self.model}

    @cached_property
    def replicas(self) -> Mapping[int, ReplicaKey]:
        """The replicas that count, by replica code in ascending order."""
        last_ns = int(self.arrivals_ns.max()) if self.arrivals_ns.size else self.view.span.closes_ns
        present = {code for code, time in self.ready.items() if time.touches(self.view.span.opens_ns, last_ns)}
        return {code: self.view.keys[code] for code in sorted(present | set(self.served_by.tolist()))}

    @property
    def lifetimes_ns(self) -> tuple[Integers, Integers]:
        """The arrivals and ends of all requests of the model, those outside of the window included."""
        requests = self.view.records.requests
        mine = requests["model"] == self.view.records.models.get(self.model, MISSING)
        return _only(mine, requests["arrival_ns"]), _only(mine, requests["end_ns"])

    @cached_property
    def completed(self) -> Integers:
        """Completed requests of each replica that counts, in the order of `replicas`."""
        return self._completed_by_code[list(self.replicas)]

    def completed_by(self, code: int) -> int:
        """Return the completed requests of one replica."""
        return int(self._completed_by_code[code])

    @cached_property
    def busy_ns(self) -> Integers:
        """Time for which each replica that counts served completed requests, in the order of `replicas`."""
        times_ns = np.zeros(len(self.view.keys), dtype=np.int64)
        np.add.at(times_ns, self.served_by, self.service_ns)
        return times_ns[list(self.replicas)]

    @cached_property
    def completed_per_speed(self) -> Floats:
        """Completed requests of each replica that counts over its node's speed, in the order of `replicas`.

        All replicas of a model have as many workers, so the speed alone makes their capacities differ.
        """
        speeds = self.view.facts.speeds.get(self.model, {})
        per_speed: Floats = self.completed / np.array([speeds.get(key.node, 1.0) for key in self.replicas.values()])
        return per_speed

    @cached_property
    def _completed_by_code(self) -> Integers:
        return np.bincount(self.served_by, minlength=len(self.view.keys))


def _only(chosen: Booleans, column: Integers) -> Integers:
    """Return the chosen figures; the column itself, without a copy, if that is all of them."""
    return column if chosen.all() else column[chosen]
