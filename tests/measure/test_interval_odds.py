"""How often intervals hold the truth, on queues and on families of figures whose truth is known.

Of 400 intervals, as many hold it as 400 draws of the stated probability allow, in 999 of 1000 base seeds; each test
also shows that it would notice intervals of another kind. `SIM_TEST_BASE_SEED` sets another base seed.
"""

import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from sim.measure.statistics import Interval, mean_interval, paired_difference, simultaneous

BASE_SEED = int(os.environ.get("SIM_TEST_BASE_SEED", "20260522"))
INTERVALS, REPLICATIONS = 400, 20
CUSTOMERS = 2_000
"""Of a replication: enough for its mean to be nearly normal. With 500 the skewness of the sojourn times shows, and
intervals of 95 % hold the truth in 94 % of cases."""
ARRIVALS_PER_S = 0.5

Figures = npt.NDArray[np.float64]


def allowed(probability: float) -> tuple[float, float]:
    """The fewest and the most of 400 that may happen with this probability each, in 999 of 1000 tries."""
    low, high = stats.binom.interval(0.999, INTERVALS, probability)
    return float(low), float(high)


def sojourn_s(service_s: float) -> float:
    """The mean sojourn time of M/M/1: 1/(mu - lambda)."""
    return 1 / (1 / service_s - ARRIVALS_PER_S)


def mean_sojourns_s(service_s: float) -> Figures:
    """The mean over the customers of each replication, shape (intervals, replications), by Lindley's recursion.

    Whatever the service time, the draws are the same. The first customer finds the queue in its steady state.
    """
    random = np.random.default_rng(BASE_SEED)
    shape = (INTERVALS, REPLICATIONS)
    is_busy = random.random(shape) < ARRIVALS_PER_S * service_s
    wait_s = np.where(is_busy, random.exponential(size=shape) * sojourn_s(service_s), 0)
    total_s = np.zeros(shape)
    for _ in range(CUSTOMERS):
        spent_s = wait_s + random.exponential(size=shape) * service_s
        total_s += spent_s
        wait_s = np.maximum(0, spent_s - random.exponential(size=shape) / ARRIVALS_PER_S)
    return total_s / CUSTOMERS


@pytest.fixture(scope="module")
def two_queues() -> tuple[Figures, Figures]:
    return mean_sojourns_s(1.0), mean_sojourns_s(1.1)


def held(intervals: Iterator[Interval], truth: float) -> int:
    return sum(interval.holds(truth) for interval in intervals)


def test_intervals_of_95_percent_hold_the_mean_sojourn_time_in_95_of_100(two_queues: tuple[Figures, Figures]) -> None:
    low, high = allowed(0.95)

    assert low <= held(map(mean_interval, two_queues[0]), sojourn_s(1.0)) <= high
    assert held((mean_interval(row, 0.85) for row in two_queues[0]), sojourn_s(1.0)) < low


def test_paired_intervals_hold_the_true_difference_in_95_of_100(two_queues: tuple[Figures, Figures]) -> None:
    difference = sojourn_s(1.1) - sojourn_s(1.0)
    low, high = allowed(0.95)

    assert low <= held(map(paired_difference, *two_queues), difference) <= high
    # Pairs that do not belong together have intervals far too wide for what the right pairs differ by.
    right, wrong = (paired_difference(two_queues[0][0], b) for b in (two_queues[1][0], two_queues[1][1]))
    assert right.half_width < wrong.half_width / 2


def test_of_many_figures_at_once_none_is_missed_in_95_of_100() -> None:
    """Ten independent figures that do not differ: an interval without 0 is a false alarm."""
    figures = np.random.default_rng(BASE_SEED).normal(size=(INTERVALS, 10, REPLICATIONS))
    low, high = allowed(0.05)

    def alarms(confidence: float) -> int:
        return sum(any(not mean_interval(one, confidence).holds(0) for one in family) for family in figures)

    assert low <= alarms(simultaneous(0.95, 10)) <= high
    assert alarms(0.95) > high
