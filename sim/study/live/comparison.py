"""Live runs beside replications of their simulated twins: which figures must agree, and how closely.

A live figure is one more replication of its twin, which runs the same requests with the measured costs of the machine.
So it has to be where the replications are. They do not span all that one more may show; that is why their range is
widened by half of its width on each side, a count's by 1 at least. Where all of them have the same count, so must the
live run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from sim.measure.expectations import Verdict
from sim.measure.result import RunResult
from sim.routing.client_cache.failure_domain import UNLOADED
from sim.scenario import Expectation
from sim.scenario.vocabulary import replica_of_share
from sim.study.judge import judge

TIME_TOLERANCE = {"latency": 0.1, "queue": 0.1, "route": 0.25}
"""Part of a time by which it may be off beside what the replications span, by its kind.

A route is made of nothing but the machine's own calls, and these vary more in the middle of a run than when measured.
"""

SHARE_TOLERANCE = 0.02
"""How far a share, or an index made of shares, may be off beside that."""

COUNTS = (
    "requests.offered",
    "requests.completed",
    "requests.failed",
    "requests.rejected",
    "requests.cancelled",
    "requests.unfinished",
    "probes.timeouts",
    "rows.removed",
    "rows.removed_alive",
    "loads.started",
    "loads.redundant",
)
TIMES = tuple(f"{kind}.{statistic}_s" for kind in TIME_TOLERANCE for statistic in ("mean", "p50", "p90", "p99"))
SHARES = ("fairness.busiest_share", "fairness.jain")


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One figure of a live run beside the simulation's."""

    metric: str
    variant: str
    live: float | None
    simulated: float | None
    """Mean over the replications; None if the metric does not apply."""
    tolerance: str
    passed: bool


def compare_runs(
    variant: str, live: RunResult, simulated: Sequence[RunResult], machine_s: float
) -> Iterator[ComparedFigure]:
    """Compare the figures of a live run with those of its twins.

    `machine_s` is by how much any time may be off because of what the machine does at its own pace.
    """
    figures = [run.metrics for run in simulated]
    by_race = _counts_by_race((live, *simulated))
    for name in COUNTS:
        yield compare_figure(name, variant, live.metrics, figures, absolute=by_race.get(name, 0), step=1)
    for name in TIMES:
        tolerance = TIME_TOLERANCE[name.partition(".")[0]]
        yield compare_figure(name, variant, live.metrics, figures, relative=tolerance, absolute=machine_s)
    replicas = [name for name in figures[0] if replica_of_share(name) is not None]
    for name in (*SHARES, *replicas):
        yield compare_figure(name, variant, live.metrics, figures, absolute=SHARE_TOLERANCE)


def compare_figure(
    name: str,
    variant: str,
    live: Mapping[str, float],
    simulated: Sequence[Mapping[str, float]],
    *,
    relative: float = 0,
    absolute: float = 0,
    step: float = 0,
) -> ComparedFigure:
    """Require the live figure to be where the replications are, give or take half of their range and the tolerances.

    Where the replications differ at all, their range is widened by `step` at least.
    A metric that does not apply to the live run must not apply to some replication either, and vice versa.
    """
    value, values = live.get(name), [metrics[name] for metrics in simulated if name in metrics]
    if value is None or not values:
        is_absent_in_both = value is None and len(values) < len(simulated)
        return ComparedFigure(name, variant, value, fmean(values) if values else None, "absent", is_absent_in_both)
    spread = max(values) - min(values)
    margin = max(step, spread / 2) if spread else 0
    low = max(0.0, (min(values) - margin) * (1 - relative) - absolute)
    high = (max(values) + margin) * (1 + relative) + absolute
    tolerance = f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
    return ComparedFigure(name, variant, value, fmean(values), tolerance, low <= value <= high)


def compare_verdicts(
    expect: Sequence[Expectation], live: Mapping[str, RunResult], simulated: Mapping[str, Sequence[RunResult]]
) -> Iterator[ComparedFigure]:
    """Require on every expectation a verdict that some replication has.

    An expectation that compares variants which are always equal in the simulation says nothing.
    """
    count = min((len(runs) for runs in simulated.values()), default=0)
    replications = [{variant: runs[number] for variant, runs in simulated.items()} for number in range(count)]
    for one in expect:
        theirs = [judge((one,), results) for results in replications]
        for number, ours in enumerate(judge((one,), live)):
            verdicts = [of_run[number] for of_run in theirs]
            yield _compare_verdict(ours, verdicts)


def _compare_verdict(live: Verdict, simulated: Sequence[Verdict]) -> ComparedFigure:
    values = [verdict.value for verdict in simulated if verdict.value is not None]
    held = sum(verdict.passed is True for verdict in simulated)
    if all(_compares_equals(verdict) for verdict in simulated):
        tolerance, passed = "none: the simulation finds no difference", True
    elif held in (0, len(simulated)):
        tolerance, passed = f"same verdict: {live.bound}", live.passed is simulated[0].passed
    else:
        tolerance, passed = f"either verdict: {held} of {len(simulated)} replications hold {live.bound}", True
    return ComparedFigure(live.metric, live.variant, live.value, fmean(values) if values else None, tolerance, passed)


def _compares_equals(verdict: Verdict) -> bool:
    others = [bound.limit for bound in verdict.bounds if bound.other is not None]
    return bool(others) and all(limit == verdict.value for limit in others)


def _counts_by_race(runs: Sequence[RunResult]) -> dict[str, int]:
    """Return how far each count may be off because of races, taken from the run with the most of them.

    A process that is told to end and its row that is deleted race each other. So do a fault and the end of a request:
    each fault may catch one more or one less.
    """
    unloaded = max(int((run.events["cause"] == UNLOADED).sum()) for run in runs)
    struck = max(int(run.metrics.get("faults.struck", 0)) for run in runs)
    return {"rows.removed_alive": unloaded, "requests.completed": struck, "requests.failed": struck}
