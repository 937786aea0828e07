"""Paired differences of one metric: which of two variants is better, by how much, and how sure that is."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from statistics import fmean
from typing import Any, NamedTuple

from sim.measure.catalogue import Better, metric_of
from sim.measure.statistics import Interval, paired_difference, replications_for


class Finding(StrEnum):
    """What the interval of a difference says of two variants, the base `a` and the other `b`."""

    A = "a"
    """The base is better, by more than the margin."""
    B = "b"
    """The other is better, by more than the margin."""
    SAME = "same"
    """They differ by no more than the margin."""
    UNCLEAR = "unclear"
    """The interval reaches across an end of the margin, or there is none."""
    DIFFERS = "differs"
    """They differ by more than the margin, in a metric of which neither more nor less is better."""

    @property
    def is_clear_difference(self) -> bool:
        """Whether the two differ by more than the margin, beyond noise."""
        return self in (Finding.A, Finding.B, Finding.DIFFERS)


_WORDS = {
    Finding.B: "better",
    Finding.A: "worse",
    Finding.DIFFERS: "differs",
    Finding.SAME: "same",
    Finding.UNCLEAR: "unclear",
}
"""What each finding says of the variant b, in the order in which findings are counted."""


class Side(NamedTuple):
    """One variant's part of a comparison."""

    variant: str
    values: Sequence[float | None]
    """A figure for each seed, None where the metric does not apply; both sides have the same order of seeds."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a comparison."""

    confidence: float
    """Probability, from 0 to 1, with which an interval holds the true difference."""
    margin: float
    """Part of the base's mean. A smaller difference does not count."""


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """One metric of a variant `b`, compared with the base `a` on the same seeds; figures are in the metric's unit."""

    metric: str
    base: str
    """Name of the variant that is `a`."""
    variant: str
    """Name of the variant that is `b`."""
    pairs: int
    """Seeds on which the metric applies to both; no other seed counts."""
    a: float | None
    """Mean over the pairs; None without pairs."""
    b: float | None
    interval: Interval | None
    """Of the mean of b less a; None for fewer than two pairs."""
    verdict: Finding
    seeds_to_tell: int | None = None
    """Of an unclear verdict: about as many seeds as would decide it. None if that is not known, or is too many."""
    noise_floor: tuple[float, float] | None = None
    """Of Jain's index: its means for a and b if as many requests had gone to the replicas at random."""

    @property
    def difference(self) -> float | None:
        """Mean of b less a; None without pairs."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def words(self) -> str:
        """What is to be said of the variant b."""
        if self.verdict is Finding.UNCLEAR and self.seeds_to_tell is not None:
            return f"unclear, {self.seeds_to_tell:,} seeds may tell"
        return _WORDS[self.verdict]

    @property
    def document(self) -> dict[str, Any]:
        """The row for programs, in values that JSON has."""
        return {
            "metric": self.metric,
            "variant": self.variant,
            "a": self.a,
            "b": self.b,
            "difference": self.difference,
            "low": None if self.interval is None else self.interval.low,
            "high": None if self.interval is None else self.interval.high,
            "verdict": self.verdict.value,
            "pairs": self.pairs,
            "seeds_to_tell": self.seeds_to_tell,
            "noise_floor": None if self.noise_floor is None else list(self.noise_floor),
        }

    def __str__(self) -> str:
        """Read as one line."""
        if self.a is None or self.b is None:
            return f"{self.metric}: applies to both {self.base} and {self.variant} on no seed: {self.words}"
        change = "" if self.interval is None else f", {_signed(self.interval)}"
        floor = "" if self.noise_floor is None else " (at random {:.6g} and {:.6g})".format(*self.noise_floor)
        return f"{self.metric}: {self.base} {self.a:.6g}, {self.variant} {self.b:.6g}{floor}{change}: {self.words}"

    def __repr__(self) -> str:
        """Show in an assertion that fails what a reader wants to know."""
        return f"<Difference {self}>"


def difference_of(metric: str, a: Side, b: Side, demand: Demand) -> Difference:
    """Compare a metric of two variants over the seeds on which it applies to both.

    The verdict goes by the paired-t interval of the mean difference: `same` if it lies within the margin around 0, the
    equivalence test of Schuirmann (1987) in its form of an interval; `a` or `b` if it lies outside; else `unclear`.
    Raises KeyError for a metric that is not in the catalogue.
    """
    better = metric_of(metric).better
    pairs = [(x, y) for x, y in zip(a.values, b.values, strict=True) if x is not None and y is not None]
    if not pairs:
        return Difference(metric, a.variant, b.variant, 0, None, None, None, Finding.UNCLEAR)
    of_a, of_b = zip(*pairs, strict=True)
    mean_a, mean_b = fmean(of_a), fmean(of_b)
    if len(pairs) == 1:
        return Difference(metric, a.variant, b.variant, 1, mean_a, mean_b, None, Finding.UNCLEAR)
    interval = paired_difference(of_a, of_b, demand.confidence)
    concern = demand.margin * abs(mean_a)
    verdict = finding(interval, concern, better)
    seeds = None
    if verdict is Finding.UNCLEAR:
        to_the_margin = abs(abs(interval.mean) - concern)
        seeds = _seeds([y - x for x, y in pairs], len(a.values), to_the_margin, demand.confidence)
    return Difference(metric, a.variant, b.variant, len(pairs), mean_a, mean_b, interval, verdict, seeds)


def counts_in_words(rows: Iterable[Difference]) -> str:
    """Return in how many of the rows b is what, such as `2 better, 11 same`; empty without rows."""
    counts = Counter(row.verdict for row in rows)
    return ", ".join(f"{counts[one]} {words}" for one, words in _WORDS.items() if counts[one])


def finding(interval: Interval, concern: float, better: Better) -> Finding:
    """Return what the interval of b less a says, if a difference of up to `concern` is nobody's."""
    if -concern <= interval.low and interval.high <= concern:
        return Finding.SAME
    if interval.low <= concern and -concern <= interval.high:
        return Finding.UNCLEAR
    if better is Better.NEITHER:
        return Finding.DIFFERS
    return Finding.B if (interval.mean > 0) == (better is Better.HIGHER) else Finding.A


def _seeds(differences: Sequence[float], seeds: int, half_width: float, confidence: float) -> int | None:
    """Return about how many seeds an interval of that half width needs, if as many of them as here give no pair."""
    pairs = replications_for(differences, half_width, confidence)
    return None if pairs is None else ceil(pairs * seeds / len(differences))


def _signed(interval: Interval) -> str:
    return f"difference {interval.mean:+.4g} [{interval.low:+.4g}, {interval.high:+.4g}]"
