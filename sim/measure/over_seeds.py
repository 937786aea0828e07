"""What the verdicts on single seeds come to, taken together."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sim.measure.expectations import Bound, OverSeeds, Verdict
from sim.measure.judged_run import JudgedRun, by_variant
from sim.measure.statistics import Interval, mean_interval, paired_difference
from sim.scenario import Expectation


def verdicts_of_variants(runs: Iterable[JudgedRun]) -> list[Verdict]:
    """Return one verdict for each expectation and variant, on all the seeds that were run; variant by variant."""
    return [
        summed_up(of_expectation)
        for of_variant in by_variant(runs).values()
        for of_expectation in zip(*(run.verdicts for run in of_variant), strict=True)
    ]


def joint_verdicts(runs: Iterable[JudgedRun]) -> list[Verdict]:
    """Return the verdicts of those expectations that are judged on all seeds together, and on no run by itself."""
    return [
        verdict
        for verdict in verdicts_of_variants(runs)
        if verdict.expectation is not None and verdict.expectation.is_judged_over_seeds
    ]


def summed_up(verdicts: Sequence[Verdict]) -> Verdict:
    """Return what one expectation's verdicts on one variant, one a seed, come to.

    An expectation about the mean holds if the whole confidence interval of the mean keeps the bound; with `above` and
    `below` it is that of the mean difference to the other variant on the same seeds (`paired_difference`). If the
    interval lies on both sides of the bound, it does not hold, and the reason says that this is unclear. So a variant
    whose true mean is at the bound passes in at most (1 - confidence) / 2 of all cases. Any other expectation has to
    hold on every seed on which it counts. One verdict that counts by itself comes back as it is.
    """
    expectation = verdicts[0].expectation
    if expectation is None or not expectation.is_judged_over_seeds:
        alone = [verdict for verdict in verdicts if verdict.counts]
        return alone[0] if len(alone) == 1 else _on_every_seed(alone)
    if any(not verdict.reason for verdict in verdicts):
        # What it is about need not happen on every seed.
        verdicts = [replace(verdict, reason="", passed=verdict.keeps_bounds) for verdict in verdicts]
    if expectation.over is not None and len(verdicts) < expectation.over:
        return _on_too_few(verdicts, expectation)
    if expectation.over is None and len(verdicts) == 1:
        return replace(verdicts[0], counts=True)
    if not expectation.is_about_the_mean or any(verdict.keeps_bounds is None for verdict in verdicts):
        return _on_every_seed(verdicts)
    return _on_average(verdicts, expectation)


def _on_every_seed(verdicts: Sequence[Verdict]) -> Verdict:
    answers = [verdict.passed for verdict in verdicts]
    passed = False if False in answers else None if None in answers else True
    worst = _worst(verdicts)
    return replace(worst, passed=passed, seed=None, counts=True, over=_over(verdicts))


def _on_too_few(verdicts: Sequence[Verdict], expectation: Expectation) -> Verdict:
    """Return that it was not judged, unless a law is broken already."""
    verdict = _on_every_seed(verdicts)
    if expectation.for_every_seed and verdict.passed is False:
        return verdict
    reason = f"judged on {expectation.over} seeds, and {len(verdicts)} {'was' if len(verdicts) == 1 else 'were'} run"
    return replace(verdict, passed=None, reason=reason)


def _on_average(verdicts: Sequence[Verdict], expectation: Expectation) -> Verdict:
    together = replace(_on_every_seed(verdicts), passed=False)
    values = [verdict.value for verdict in verdicts if verdict.value is not None]
    limits = [limit for verdict in verdicts if (limit := verdict.bounds[0].limit) is not None]
    if len(values) < len(verdicts) or len(limits) < len(verdicts):
        absent = next(verdict for verdict in verdicts if verdict.margin == float("-inf"))
        return replace(together, value=None, reason=together.reason or f"absent on seed {absent.seed}")
    bounds = verdicts[0].bounds
    if expectation.others:
        interval = paired_difference(limits, values, expectation.confidence)
        bounds = (Bound(bounds[0].sign, 0.0),)
        differences = (value - limit for value, limit in zip(values, limits, strict=True))
        verdicts = [
            replace(verdict, value=difference, bounds=bounds)
            for verdict, difference in zip(verdicts, differences, strict=True)
        ]
        together = replace(together, bound=f"{bounds[0]} (difference to {expectation.others[0]})")
    else:
        interval = mean_interval(values, expectation.confidence)
    unclear = "unclear: the interval is on both sides of the bound" if _is_unclear(interval, bounds) else ""
    return replace(
        together,
        value=interval.mean,
        passed=not together.reason and _is_kept_by_all(interval, bounds),
        reason=together.reason or unclear,
        bounds=bounds,
        over=_over(verdicts, interval, expectation.confidence),
    )


def _is_kept_by_all(interval: Interval, bounds: Sequence[Bound]) -> bool:
    return all(bound.holds(interval.low) and bound.holds(interval.high) for bound in bounds)


def _is_unclear(interval: Interval, bounds: Sequence[Bound]) -> bool:
    return any(bound.holds(interval.low) is not bound.holds(interval.high) for bound in bounds)


def _over(verdicts: Sequence[Verdict], interval: Interval | None = None, confidence: float | None = None) -> OverSeeds:
    worst = _worst(verdicts)
    held = sum(verdict.passed is True for verdict in verdicts)
    return OverSeeds(len(verdicts), held, worst.seed, worst.value, interval, confidence)


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    return min(verdicts, key=lambda verdict: (verdict.passed is not False, verdict.margin))
