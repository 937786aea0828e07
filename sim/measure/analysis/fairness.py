"""How evenly work is spread: indices of a share vector, one figure per replica (requests, or time).

Every index takes a 1-D array of k figures that are not negative and not all 0; it raises ValueError otherwise.
"""

from functools import lru_cache
from math import exp, log

import numpy as np
import numpy.typing as npt

Figures = npt.ArrayLike

_EXACT_UP_TO = 200
"""Largest number of requests for which the random split is worked out exactly."""

# The double exponential rule for integrals from 0 to infinity of functions that fall like e^(-s): the trapezoidal rule
# in t, with s = exp(t - exp(-t)) (Takahasi & Mori 1974). It does without scipy, whose import takes half a second.
_STEP = 0.1
_T = np.arange(-36, 42) * _STEP
_NODES = np.exp(_T - np.exp(-_T))
_WEIGHTS = _STEP * _NODES * (1 + np.exp(-_T))


def jain(figures: Figures) -> float:
    """Return Jain's index, from 1/k (one replica does all) to 1 (all do the same).

    `(sum x)^2 / (k sum x^2)`: Jain, Chiu & Hawe, DEC-TR-301 (1984).
    """
    x = _checked(figures)
    # Rounding can take it a hair above 1.
    return min(1.0, float(x.sum() ** 2 / (x.size * np.sum(x**2))))


def max_over_mean(figures: Figures) -> float:
    """Return the largest figure over the mean, from 1 (all do the same) to k."""
    x = _checked(figures)
    return float(x.max() / x.mean())


def cv(figures: Figures) -> float:
    """Return the coefficient of variation, from 0 (all do the same) to sqrt(k-1): population deviation over mean."""
    x = _checked(figures)
    return float(x.std() / x.mean())


def gini(figures: Figures) -> float:
    """Return the Gini coefficient, from 0 (all do the same) to (k-1)/k.

    `sum_ij |x_i - x_j| / (2 k^2 mean)`: Gini (1912), here by the sorted form, in which each figure weighs by its rank.
    """
    x = np.sort(_checked(figures))
    ranks = np.arange(1, x.size + 1)
    # Rounding can leave an equal split a hair below 0.
    return max(0.0, float(np.sum((2 * ranks - x.size - 1) * x) / (x.size * x.sum())))


def entropy(figures: Figures) -> float:
    """Return the entropy of the shares over that of an equal split, from 0 to 1: Shannon (1948).

    One replica on its own has 1, as an equal split.
    """
    x = _checked(figures)
    if x.size == 1:
        return 1.0
    shares = x[x > 0] / x.sum()
    return float(np.clip(-np.sum(shares * np.log(shares)) / log(x.size), 0, 1))


def busiest_share(figures: Figures) -> float:
    """Return the largest figure's part of the whole, from 1/k to 1."""
    x = _checked(figures)
    return float(x.max() / x.sum())


def longest_streak(sequence: npt.ArrayLike) -> int:
    """Return the length of the longest run of equal neighbours in a 1-D sequence; 0 if it is empty."""
    values = np.asarray(sequence)
    if values.size == 0:
        return 0
    run_starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    return int(np.diff(np.r_[run_starts, values.size]).max())


@lru_cache(maxsize=4096)
def jain_of_random_split(requests: int, replicas: int) -> float:
    """Return the mean of Jain's index when each request goes to a replica drawn uniformly: the noise floor of `jain`.

    With X Pearson's statistic of the counts against an equal split, J = 1/(1 + X/n). From 1/a = int_0^inf e^(-as) ds,
    E[J] = int_0^inf e^(-s) E[e^(-sX/n)] ds. Up to 200 requests the inner mean is exact, from the generating function
    of the multinomial law; beyond, X is taken as chi-squared with k-1 degrees of freedom (Pearson 1900), whose
    Laplace transform is (1 + 2s/n)^(-(k-1)/2).
    """
    _check_split(requests, replicas)
    if replicas == 1 or requests == 1:
        return 1 / replicas
    if requests > _EXACT_UP_TO:
        half_freedom = (replicas - 1) / 2
        return float(np.dot(_WEIGHTS, np.exp(-_NODES) * (1 + 2 * _NODES / requests) ** -half_freedom))
    return float(np.dot(_WEIGHTS, [_mean_of_exp(s, requests, replicas) for s in _NODES]))


def _mean_of_exp(s: float, requests: int, replicas: int) -> float:
    """Return E[e^(-s/J)] exactly, where 1/J = (k/n^2) sum of squared counts.

    Counts of a random split are independent Poisson counts of mean n/k, given that they add up to n.
    """
    counts = np.arange(requests + 1)
    log_factorials = np.cumsum(np.log(np.maximum(counts, 1)))
    rate = requests / replicas
    weights = np.exp(counts * log(rate) - rate - log_factorials - s * replicas * (counts / requests) ** 2)
    log_total = requests * log(requests) - requests - log_factorials[requests]
    return float(_power_series(weights, replicas)[requests] / exp(log_total))


def _power_series(coefficients: npt.NDArray[np.float64], power: int) -> npt.NDArray[np.float64]:
    """Raise a power series to a power >= 1 by squaring, cut at its own length."""
    length = coefficients.size
    result: npt.NDArray[np.float64] | None = None
    while True:
        if power % 2:
            result = coefficients if result is None else np.convolve(result, coefficients)[:length]
        power //= 2
        if not power:
            break
        coefficients = np.convolve(coefficients, coefficients)[:length]
    if result is None:
        raise ValueError("the power must be at least 1")
    return result


def _checked(figures: Figures) -> npt.NDArray[np.float64]:
    """Return the figures in a unit that keeps the largest between 1/2 and 1."""
    values = np.asarray(figures, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError("fairness needs one figure per replica, of at least one replica")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() == 0:
        raise ValueError("fairness needs figures that are not negative and not all 0")
    # Squares of huge or tiny figures would leave the range of a float. A power of two changes no digit.
    return np.asarray(np.ldexp(values, -np.frexp(values.max())[1]))


def _check_split(requests: int, replicas: int) -> None:
    if requests < 1 or replicas < 1:
        raise ValueError(f"a split needs requests and replicas, not {requests} over {replicas}")
