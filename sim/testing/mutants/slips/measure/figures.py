"""Slips in the figures: what counts, over which replicas, from when to when."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.measure.analysis.readiness import ReadyTime
from sim.measure.catalogue import CATALOGUE
from sim.measure.catalogue.view import ModelView, View
from sim.measure.recording.events import EventKind, are
from sim.measure.recording.records import MISSING, Booleans, Integers
from sim.measure.window import Span
from sim.routing.outcomes import Outcome, ProbeOutcome
from sim.routing.replica import ReplicaKey
from sim.routing.units import NS_PER_S
from sim.testing.mutants.mutant import Mutant, in_place_of
from sim.testing.mutants.slips.measure.wrong_metric import wrong_metric

_PERCENTILES = "sim.measure.catalogue.times:percentiles"


@in_place_of(_PERCENTILES, "silence_by_hand")
def percentile_is_off_by_one(values: npt.ArrayLike, ranks: Sequence[float]) -> list[float]:
    """A percentile is the value one place below the right one."""
    ordered = np.sort(np.asarray(values))
    places = [max(0, int(np.ceil(rank / 100 * ordered.size)) - 2) for rank in ranks]
    return [float(ordered[place]) for place in places]


@in_place_of(_PERCENTILES, "figures_by_hand")
def percentile_is_not_interpolated(values: npt.ArrayLike, ranks: Sequence[float]) -> list[float]:
    """A percentile is the nearest value below it, not one between two values."""
    return [float(value) for value in np.percentile(np.asarray(values), ranks, method="lower")]


@in_place_of(_PERCENTILES, "silence_by_hand")
def values_are_not_sorted(values: npt.ArrayLike, ranks: Sequence[float]) -> list[float]:
    """Percentiles are taken by place without sorting the values first."""
    sample = np.asarray(values)
    return [float(sample[int(rank / 100 * (sample.size - 1))]) for rank in ranks]


def _completed_of_those_that_served(model: ModelView) -> Integers:
    counts = model._completed_by_code[list(model.replicas)]
    return counts[counts > 0]


share_over_rows_that_served = Mutant(
    "share_over_rows_that_served",
    "sim.measure.catalogue.view:ModelView.completed",
    "A replica that was ready and served nothing is left out of the fairness.",
    property(_completed_of_those_that_served),
    ("figures_by_hand",),
)


def _all_replicas(model: ModelView) -> Mapping[int, ReplicaKey]:
    return {code: model.view.keys[code] for code in sorted(model.ready.keys() | set(model.served_by.tolist()))}


share_over_rows_that_were_not_ready = Mutant(
    "share_over_rows_that_were_not_ready",
    "sim.measure.catalogue.view:ModelView.replicas",
    "A replica that was not ready in the window counts as one that served nothing.",
    property(_all_replicas),
    ("figures_by_hand",),
)


@in_place_of("sim.measure.analysis.readiness:ReadyTime.touches", "figures_by_hand")
def never_removed_is_never_ready(self: ReadyTime, opens_ns: int, closes_ns: int) -> bool:
    """Only a replica that was ready at the window's end counts."""
    return bool(np.any((self.starts <= closes_ns) & (self.stops > closes_ns)))


def _jain(model: ModelView) -> float | None:
    counts = np.asarray(model.completed, dtype=float)
    return float(counts.sum() ** 2 / (counts.size * np.sum(counts) ** 2)) if counts.any() else None


jain_squares_the_sum = wrong_metric(
    "jain_squares_the_sum",
    "fairness.jain",
    "Jain's index has the square of the sum where the sum of the squares belongs.",
    _jain,
    "figures_by_hand",
)


def _jain_without_count(model: ModelView) -> float | None:
    counts = np.asarray(model.completed, dtype=float)
    return float(counts.sum() ** 2 / np.sum(counts**2)) if counts.any() else None


jain_forgets_the_count = wrong_metric(
    "jain_forgets_the_count",
    "fairness.jain",
    "Jain's index is not divided by the number of replicas.",
    _jain_without_count,
    "figures_by_hand",
)


def _false_dead_of_all(view: View) -> int:
    return int(np.count_nonzero((view.probes["outcome"] != ProbeOutcome.OK) & (view.probes["process_alive"] == 1)))


false_dead_of_the_loops_counts = wrong_metric(
    "false_dead_of_the_loops_counts",
    "probes.false_dead",
    "Health calls of background loops count beside those of requests.",
    _false_dead_of_all,
    "reaping_by_hand",
)

jain_of_busy_time = wrong_metric(
    "jain_of_busy_time",
    "fairness.jain",
    "Jain's index is taken of the busy time, not of the requests.",
    lambda model: next(one for one in CATALOGUE if one.name == "fairness.busy_jain").figure(model),  # type: ignore[attr-defined]
    "figures_by_hand",
)

busiest_share_of_the_mean = wrong_metric(
    "busiest_share_of_the_mean",
    "fairness.busiest_share",
    "The busiest replica's requests are divided by the mean, not by the sum.",
    lambda model: float(model.completed.max() / model.completed.mean()) if model.served_by.size else None,
    "figures_by_hand",
)


def _everything(model: ModelView) -> float | None:
    routed = model.sent_to[model.sent_to != MISSING]
    return float(np.bincount(routed).max() / routed.size) if routed.size else None


share_of_failed_requests_too = wrong_metric(
    "share_of_failed_requests_too",
    "fairness.busiest_share",
    "Requests that failed count for the replica that failed them.",
    _everything,
    "figures_by_hand",
)


def _seconds(statistic: Callable[[Integers], float], durations: Callable[[View], Integers], view: View) -> float | None:
    times = durations(view)
    return float(statistic(times)) / NS_PER_S if times.size else None


def _ended_ns(view: View) -> Integers:
    ended = view.requests["end_ns"] != MISSING
    return np.asarray((view.requests["end_ns"] - view.requests["arrival_ns"])[ended])


def _served_ns(view: View) -> Integers:
    done = view.requests["outcome"] == Outcome.COMPLETED
    return np.asarray((view.requests["end_ns"] - view.requests["routed_ns"])[done])


latency_of_failed_requests_too = wrong_metric(
    "latency_of_failed_requests_too",
    "latency.mean_s",
    "Requests that failed count in the mean latency.",
    partial(_seconds, np.mean, _ended_ns),
    "figures_by_hand",
)

latency_from_the_route = wrong_metric(
    "latency_from_the_route",
    "latency.max_s",
    "Latency counts from the route, not from the arrival.",
    partial(_seconds, np.max, _served_ns),
    "silence_by_hand",
)

latency_max_is_the_mean = wrong_metric(
    "latency_max_is_the_mean",
    "latency.max_s",
    "The largest latency is the mean one.",
    partial(_seconds, np.mean, _served_ns),
    "silence_by_hand",
)


throughput_over_the_whole_run = wrong_metric(
    "throughput_over_the_whole_run",
    "throughput_per_s",
    "Completed requests are divided by the length of the run, its idle end included.",
    lambda view: float(np.count_nonzero(view.requests["outcome"] == Outcome.COMPLETED)) * NS_PER_S / view.span.end_ns,
    "figures_by_hand",
)


_SPAN = "sim.measure.window:Span"


@in_place_of(f"{_SPAN}.holds", "picks_by_hand")
def window_has_no_end(self: Span, times_ns: Integers) -> Booleans:
    """What happened after the window's end counts as well."""
    return times_ns >= self.opens_ns


@in_place_of(f"{_SPAN}.holds", "picks_by_hand")
def window_has_no_beginning(self: Span, times_ns: Integers) -> Booleans:
    """What happened before the window's beginning counts as well."""
    return times_ns < (self.closes_ns + 1 if self.before_ns is None else self.before_ns)


def _count(of: Callable[[View], Any]) -> Callable[[View], int]:
    return lambda view: int(np.count_nonzero(of(view)))


removed_dead_counts_as_alive = wrong_metric(
    "removed_dead_counts_as_alive",
    "rows.removed_alive",
    "Every row that was removed counts as one whose process was alive.",
    _count(lambda view: are(view.events, EventKind.ROW_REMOVED)),
    "figures_by_hand",
)

every_load_is_redundant = wrong_metric(
    "every_load_is_redundant",
    "loads.redundant",
    "Every load counts as one of a model that was there.",
    _count(lambda view: are(view.events, EventKind.LOAD_STARTED)),
    "clients_by_hand",
)

probes_of_loops_count = wrong_metric(
    "probes_of_loops_count",
    "probes.sent",
    "The probes of the background loops count among those of the requests.",
    lambda view: len(view.probes["request"]),
    "scaling_by_hand",
)

answers_count_as_timeouts = wrong_metric(
    "answers_count_as_timeouts",
    "probes.timeouts",
    "Every probe that was not OK counts as one without an answer.",
    _count(lambda view: (view.probes["request"] != MISSING) & (view.probes["outcome"] != ProbeOutcome.OK)),
    "silence_by_hand",
)

cancelled_counts_as_failed = wrong_metric(
    "cancelled_counts_as_failed",
    "requests.failed",
    "A request whose client left counts as failed.",
    _count(lambda view: (view.requests["outcome"] == Outcome.FAILED) | (view.requests["outcome"] == Outcome.CANCELLED)),
    "figures_by_hand",
)

rejected_counts_as_failed = wrong_metric(
    "rejected_counts_as_failed",
    "requests.failed",
    "A request that was turned away counts as failed.",
    _count(lambda view: (view.requests["outcome"] == Outcome.FAILED) | (view.requests["outcome"] == Outcome.REJECTED)),
    "loads_by_hand",
)

unfinished_counts_as_completed = wrong_metric(
    "unfinished_counts_as_completed",
    "requests.completed",
    "Every request that has not failed counts as completed.",
    _count(lambda view: view.requests["outcome"] != Outcome.FAILED),
    "silence_by_hand",
)

burst_is_split_over_those_it_reached = Mutant(
    "burst_is_split_over_those_it_reached",
    "sim.measure.analysis.readiness:ReadyTime.touches",
    "The even split of a burst is over the replicas that it went to, not over those that were ready.",
    lambda self, opens_ns, closes_ns: opens_ns != closes_ns and bool(np.any(self.starts <= closes_ns)),
    ("burst_herd",),
)


@in_place_of("sim.measure.catalogue.fleet:below_minimum_ns", "scaling_by_hand")
def minimum_is_not_enough(records: Any, minimums: Mapping[str, int], opens_ns: int, end_ns: int) -> int:
    """A model that has just its minimum counts as below it: `<=` for `<`."""
    from sim.measure.analysis.fleet import below_minimum_ns

    return below_minimum_ns(records, {model: least + 1 for model, least in minimums.items()}, opens_ns, end_ns)


every_failure_is_a_wrong_model = wrong_metric(
    "every_failure_is_a_wrong_model",
    "requests.misrouted",
    "A request that failed for any cause counts as one that reached a process of another model.",
    _count(lambda view: view.requests["cause"] != MISSING),
    "ports_by_hand",
)
