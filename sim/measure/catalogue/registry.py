"""The registry's table: how far its counts were from the truth, and what it had to do. All over the whole run only."""

from collections.abc import Callable

import numpy as np

from sim.measure.catalogue.metric import Better, RunMetric, Unit
from sim.measure.catalogue.subject import REQUESTS_OR_LOOPS
from sim.measure.catalogue.view import View
from sim.measure.facts import Totals
from sim.measure.statistics import percentiles
from sim.routing.units import NS_PER_S


def _total(figure: Callable[[Totals], int]) -> Callable[[View], int | None]:
    return lambda view: figure(view.totals) if view.span.is_whole_run else None


def _drift_s(view: View) -> float | None:
    drift_ns = view.totals.drift_ns
    return None if drift_ns is None or not view.span.is_whole_run else drift_ns / NS_PER_S


def _lock_wait_p99_s(view: View) -> float | None:
    if not view.totals.transactions or not view.span.is_whole_run:
        return None
    waits_ns = view.records.lock_waits["wait_ns"]
    if 100 * waits_ns.size < view.totals.transactions:
        return 0.0  # Said without an array of all transactions: that would be the largest of a run.
    # Only those that waited are recorded.
    all_waits_ns = np.zeros(max(view.totals.transactions, waits_ns.size))
    all_waits_ns[: waits_ns.size] = waits_ns
    return percentiles(all_waits_ns, (99,))[0] / NS_PER_S


METRICS = (
    RunMetric(
        "in_flight.final",
        Unit.COUNT,
        Better.LOWER,
        "requests that the rows still counted as in flight at the end",
        _total(lambda totals: totals.final_in_flight),
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "in_flight.drift_s",
        Unit.SECONDS,
        Better.LOWER,
        "integral over time of the distance between counted and true requests in flight, summed over the rows",
        _drift_s,
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "in_flight.floor_hits",
        Unit.COUNT,
        Better.LOWER,
        "times that a row's count was to be taken below 0",
        _total(lambda totals: totals.floor_hits),
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "registry.transactions",
        Unit.COUNT,
        Better.LOWER,
        "transactions on the table of replicas",
        _total(lambda totals: totals.transactions),
        subject=REQUESTS_OR_LOOPS,
    ),
    RunMetric(
        "registry.lock_wait_p99_s",
        Unit.SECONDS,
        Better.LOWER,
        "99th percentile of a transaction's wait for locks, those that waited for none included",
        _lock_wait_p99_s,
        subject=REQUESTS_OR_LOOPS,
    ),
)
