"""Whether a router shows a known regression: whether it breaks bounds of the repaired one more often than by chance."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any

from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun
from sim.measure.statistics import Interval, mean_interval

TOLERATED = 0.05
"""Part of all seeds on which a router without the regression may break a bound, as a random one does."""
FALSE_ALARM = 0.01
"""Probability, at most, that a check calls such a router affected by anything."""


class Immunity(StrEnum):
    """What a check finds of one regression."""

    IMMUNE = "immune"
    """No seed breaks a bound."""
    AFFECTED = "affected"
    """More seeds break a bound than chance explains."""
    UNCLEAR = "unclear"
    """Some seeds break a bound, but not more than chance may explain."""
    NOT_APPLICABLE = "not applicable"
    """A policy has no part in it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a check has to know of a regression."""

    name: str
    symptom: str
    """In one sentence."""
    metric: str
    """Name of the metric that shows it."""
    excuse: str = ""
    """Why a router may be affected without failing the check; empty if it may not."""


@dataclass(frozen=True, slots=True, repr=False)
class Standing:
    """How a router stands to one regression."""

    known: Known
    immunity: Immunity
    reason: str = ""
    """Why it is not applicable, or that more seeds may tell; else empty."""
    seeds: int = 0
    broken: int = 0
    """Number of seeds on which a bound is broken."""
    figure: Interval | None = None
    """Mean of the metric over the seeds to which it applies, with the 95 % interval; None if there are none."""
    worst: Verdict | None = None
    """On the bound that is broken most often, where it is broken most; None if none is broken."""

    @property
    def fails(self) -> bool:
        """Whether the router is affected, and has no excuse."""
        return self.immunity is Immunity.AFFECTED and not self.known.excuse

    @property
    def is_excused(self) -> bool:
        """Whether the router is affected, and has an excuse."""
        return self.immunity is Immunity.AFFECTED and bool(self.known.excuse)

    @property
    def words(self) -> str:
        """What is found, with the reason or the excuse."""
        excuse = self.known.excuse if self.is_excused else ""
        return ", ".join(filter(None, [self.immunity.value, excuse, self.reason]))

    @property
    def document(self) -> dict[str, Any]:
        """The standing for programs, in values that JSON has."""
        worst = self.worst
        return {
            "regression": self.known.name,
            "symptom": self.known.symptom,
            "verdict": self.immunity.value,
            "fails": self.fails,
            "excuse": self.known.excuse or None,
            "reason": self.reason or None,
            "metric": self.known.metric,
            "mean": None if self.figure is None else self.figure.mean,
            "low": None if self.figure is None else self.figure.low,
            "high": None if self.figure is None else self.figure.high,
            "seeds": self.seeds,
            "broken": self.broken,
            "bound": None if worst is None else f"{worst.figure_name} {worst.bound}",
            "worst": None if worst is None else worst.value,
            "worst_seed": None if worst is None else worst.seed,
            "command": (worst and worst.command) or None,
        }

    @property
    def evidence(self) -> str:
        """The bound that is broken worst, and on how many seeds any is; empty if none is broken."""
        one = self.worst
        if one is None:
            return ""
        figure = f"{one.figure_name} is {one.figure} on seed {one.seed}, expected {one.bound}"
        return f"{figure}; broken on {self.broken} of {self.seeds} seeds"

    def __str__(self) -> str:
        """Read as one line."""
        return "; ".join(filter(None, [f"{self.known.name}: {self.words}", self.evidence]))

    def __repr__(self) -> str:
        """Show in an assertion that fails what a reader wants to know."""
        return f"<Standing {self}>"


def not_applicable(known: Known, reason: str) -> Standing:
    """Return that a policy has no part in the regression."""
    return Standing(known, Immunity.NOT_APPLICABLE, reason)


def standing(known: Known, runs: Sequence[JudgedRun], too_many: int) -> Standing:
    """Judge a router by its runs in a regression's scenario, one a seed, with verdicts on the repaired one's bounds.

    It is affected if at least `too_many` seeds break a bound; see `beyond_chance`.
    """
    broken = [run for run in runs if any(not verdict.passed for verdict in run.verdicts)]
    figures = [figure for run in runs if (figure := _figure(run, known.metric)) is not None]
    immunity, reason = Immunity.IMMUNE, ""
    if len(broken) >= too_many:
        immunity = Immunity.AFFECTED
    elif broken:
        immunity, reason = Immunity.UNCLEAR, f"{3 * len(runs)} seeds may tell"
    return Standing(known, immunity, reason, len(runs), len(broken), _mean(figures), _worst(broken))


def beyond_chance(seeds: int, regressions: int) -> int:
    """Return on how many of the seeds a bound has to be broken before chance no longer explains it.

    It is the critical value of an exact binomial test of each regression, on a level that has all of them together
    give a false alarm with probability FALSE_ALARM at most (Bonferroni), if TOLERATED is the probability that a seed
    breaks a bound by chance. Raises ValueError if so few seeds can show nothing.
    """
    level = FALSE_ALARM / max(regressions, 1)
    least = next(number for number in count(1) if TOLERATED**number <= level)
    if seeds < least:
        raise ValueError(f"found {seeds} as the number of seeds; allowed: {least} or more, since fewer show nothing")
    # Here, because loading it takes as long as a small run.
    from scipy.special import bdtrc

    return next(number for number in range(1, seeds + 1) if bdtrc(number - 1, seeds, TOLERATED) <= level)


def _figure(run: JudgedRun, metric: str) -> float | None:
    """Return the figure that was judged, in its window, or that of the whole run if none was."""
    for verdict in run.verdicts:
        if verdict.expectation is not None and verdict.expectation.metric == metric:
            return verdict.value
    return run.metrics.get(metric)


def _mean(figures: Sequence[float]) -> Interval | None:
    if len(figures) < 2:
        return Interval(figures[0], figures[0], figures[0]) if figures else None
    return mean_interval(figures)


def _worst(broken: Sequence[JudgedRun]) -> Verdict | None:
    """Return the verdict on the bound that most runs break, where it is broken most."""
    places = Counter(place for run in broken for place, verdict in enumerate(run.verdicts) if not verdict.passed)
    if not places:
        return None
    [(place, _)] = places.most_common(1)
    return min((run.verdicts[place] for run in broken), key=lambda verdict: verdict.margin)
