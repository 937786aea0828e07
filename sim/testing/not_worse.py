"""The assertion that one run's router is no worse than another's, over seeds on which both see the same requests."""

from collections.abc import Sequence

from sim.measure.catalogue import Better, metric_of
from sim.measure.differences import Difference
from sim.measure.judged_run import JudgedRun, seeds_in_words
from sim.measure.result import RunResult
from sim.measure.statistics import Interval
from sim.study.batch import judged_run
from sim.study.compare import Replications, asked
from sim.study.comparison import compared
from sim.study.run import run_scenario


def assert_not_worse(
    base: RunResult,
    mine: RunResult,
    metric: str,
    *,
    margin: float = 0.1,
    reps: int = 20,
    confidence: float = 0.95,
    seed: int | None = None,
) -> None:
    """Assert that the mean of a metric is not worse with `mine` than with `base` by more than a margin.

    Both runs are made again on the same `reps` seeds, from `seed` on (that of `base` unless given), with the scenario,
    variant and policy that they had; how a run's own seed came out plays no part. Worse is what the catalogue of
    metrics says: longer for a latency, lower for an index of fairness. The `margin` is a part of the base's mean.

    It holds if the whole paired-t interval of the mean difference (`sim.compare`) is on the right side of the margin: a
    test of non-inferiority, which a router that is worse by just the margin passes in (1 - confidence) / 2 of all cases
    (Schuirmann 1987). If the interval is on both sides it does not hold, and the message says about how many seeds may
    tell.

    Raises AssertionError if it does not hold, NoSuchMetric with the nearest name for a metric that does not exist, and
    ValueError for one of which neither more nor less is better and for numbers that make no sense, and TypeError for a
    result that was read from a folder, whose code may be gone.
    """
    __tracebackhide__ = True
    question = asked("base", ("mine",), [metric], confidence, margin)
    better = metric_of(metric).better
    if better is Better.NEITHER:
        raise ValueError(f"{metric}: neither more nor less of it is better; allowed: a metric with a better direction")
    seeds = next(Replications(base.seed if seed is None else seed, reps).batches())
    of_base, of_mine = _runs(base, "base", seeds), _runs(mine, "mine", seeds)
    (row,) = compared(base.scenario, question, [*of_base, *of_mine]).rows
    if row.interval is None or row.a is None:
        raise AssertionError(f"{metric} applies to both runs on {row.pairs} of {reps} seeds: nothing to compare")
    sign = 1 if better is Better.LOWER else -1
    concern = margin * abs(row.a)
    least_loss, most_loss = sorted((sign * row.interval.low, sign * row.interval.high))
    if most_loss > concern:
        finding = "is worse" if least_loss > concern else f"may be worse ({_how_to_tell(row)})"
        raise AssertionError(
            f"{mine.scenario}: {metric} of {mine.variant} {finding}: {row.b:.6g}, with {base.variant} {row.a:.6g}\n"
            f"{_in_words(row.interval, confidence)}; allowed {sign * concern:+.6g} ({margin * 100:.3g} % of "
            f"{base.variant})\nmeans over seeds {seeds_in_words(seeds)}; {_worst_seed(metric, of_base, of_mine, sign)}"
        )


def _in_words(interval: Interval, confidence: float) -> str:
    extent = f"{interval.low:+.6g} to {interval.high:+.6g}"
    return f"difference {interval.mean:+.6g}, {confidence * 100:.4g} % interval {extent}"


def _runs(result: RunResult, name: str, seeds: Sequence[int]) -> list[JudgedRun]:
    if isinstance(result.plan, str):
        raise TypeError(f"{name}: a result that was read from a folder cannot be run again; allowed: one of sim.run")
    # Named so, because both may be the variant of the same name in two files.
    runs = (run_scenario(result.plan, name, seed) for seed in seeds)
    return [judged_run(run, ()) for run in runs]


def _how_to_tell(row: Difference) -> str:
    return "more seeds may tell" if row.seeds_to_tell is None else f"reps={row.seeds_to_tell} may tell"


def _worst_seed(metric: str, of_base: Sequence[JudgedRun], of_mine: Sequence[JudgedRun], sign: int) -> str:
    pairs = [
        (sign * (mine.metrics[metric] - base.metrics[metric]), base, mine)
        for base, mine in zip(of_base, of_mine, strict=True)
        if metric in mine.metrics and metric in base.metrics
    ]
    _, base, mine = max(pairs, key=lambda pair: pair[0])
    return f"the worst is seed {mine.seed}: {mine.metrics[metric]:.6g} against {base.metrics[metric]:.6g}"
