"""Figures over many values: percentiles of one run, confidence intervals over replications."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

MOST_REPLICATIONS = 1_000_000
"""Of which a forecast speaks."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the confidence interval around it, in the unit of the values."""

    mean: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the interval's length: the figure after the plus-minus sign."""
        return (self.high - self.low) / 2

    def holds(self, value: float) -> bool:
        """Tell whether the interval holds the value, its ends included."""
        return self.low <= value <= self.high


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean of independent replications with its Student-t interval (Student 1908).

    Each value is one run's figure: a percentile is taken per run and then averaged, never pooled over runs. Raises
    ValueError for fewer than two values: one run says nothing of its own spread.
    """
    if len(values) < 2:
        raise ValueError(f"an interval needs at least 2 replications, not {len(values)}")
    sample = np.asarray(values, dtype=np.float64)
    mean = float(sample.mean())
    if sample.min() == sample.max():
        return Interval(float(sample[0]), float(sample[0]), float(sample[0]))
    error = float(sample.std(ddof=1)) / len(values) ** 0.5
    half_width = _student(confidence, len(values) - 1) * error
    return Interval(mean, mean - half_width, mean + half_width)


def paired_difference(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean of `b - a` with its Student-t interval: the paired-t confidence interval.

    The values are one figure per replication, those at the same place of runs that saw the same requests: what the
    requests did to both cancels out, and the interval is the narrower for it (Law, Simulation Modeling and Analysis,
    5th ed. 2015, sections 10.2.1 and 11.2, common random numbers). Equal differences give an interval of no width.
    Raises ValueError for sequences of different lengths, and for fewer than two pairs.
    """
    if len(a) != len(b):
        raise ValueError(f"pairs need as many values on both sides, not {len(a)} and {len(b)}")
    return mean_interval([of_b - of_a for of_a, of_b in zip(a, b, strict=True)], confidence)


class Sample(NamedTuple):
    """Independent replications, as far as their mean goes."""

    mean: float
    deviation: float
    """Their standard deviation, in the unit of the mean."""
    size: int
    """At least 2."""

    @classmethod
    def of(cls, mean: float, half_width: float, size: int, confidence: float = 0.95) -> Self:
        """Return the sample behind a mean and half of its Student-t interval."""
        return cls(mean, half_width * size**0.5 / _student(confidence, size - 1), size)


def unpaired_difference(a: Sample, b: Sample, confidence: float = 0.95) -> Interval:
    """Return the difference of the means, b less a, with the interval of Welch (Biometrika 34, 1947).

    The samples may differ in size and spread. Those that share their requests are alike, so that the interval is wider
    than it need be: where the single values are known, `paired_difference` sees more.
    """
    difference = b.mean - a.mean
    of_a, of_b = (sample.deviation**2 / sample.size for sample in (a, b))
    if of_a + of_b == 0:
        return Interval(difference, difference, difference)
    freedom = (of_a + of_b) ** 2 / (of_a**2 / (a.size - 1) + of_b**2 / (b.size - 1))
    half_width = _student(confidence, freedom) * (of_a + of_b) ** 0.5
    return Interval(difference, difference - half_width, difference + half_width)


def simultaneous(confidence: float, intervals: int) -> float:
    """Return the confidence of each of several intervals that together hold all their values with `confidence`.

    By Bonferroni's inequality, whatever the dependence between them: 1 - (1 - confidence) / intervals (Dunn, Multiple
    comparisons among means, JASA 56, 1961).
    """
    return 1 - (1 - confidence) / max(intervals, 1)


def replications_for(values: Sequence[float], half_width: float, confidence: float = 0.95) -> int | None:
    """Return about how many replications would give their mean an interval of at most this half width.

    The least n that is no less than the number of `values` with t(n-1) s / sqrt(n) <= half_width, s being their
    standard deviation (Law, Simulation Modeling and Analysis, 5th ed. 2015, section 9.4.1). None above a million.
    """
    deviation = float(np.std(values, ddof=1))
    if deviation == 0:
        return len(values)

    def is_enough(replications: int) -> bool:
        return _student(confidence, replications - 1) * deviation <= half_width * sqrt(replications)

    if half_width <= 0 or not is_enough(MOST_REPLICATIONS):
        return None
    return bisect_left(range(MOST_REPLICATIONS), True, lo=len(values), key=is_enough)


def percentiles(values: npt.ArrayLike, ranks: Sequence[float]) -> list[float]:
    """Return the percentiles of the ranks (0 to 100), in the unit of the values.

    Linear between order statistics: numpy's default, definition 7 of Hyndman & Fan (1996). Raises ValueError if there
    are no values.
    """
    sample = np.asarray(values)
    if sample.size == 0:
        raise ValueError("percentiles need at least one value")
    return [float(value) for value in np.percentile(sample, ranks)]


def _student(confidence: float, freedom: float) -> float:
    """Return how many standard errors an interval of Student's t reaches to each side."""
    # Here, because loading it takes as long as a small run, and most runs have one seed.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))
