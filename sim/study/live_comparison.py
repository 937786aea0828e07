"""Live runs beside simulated ones of the same variants: which figures must agree, and how closely."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from sim.live.cluster.calibration import Calibration
from sim.measure.expectations import window_of
from sim.measure.result import RunResult
from sim.scenario import Expectation, NetworkSpec, RegistrySpec, Scenario
from sim.study.judge import judge

SHARE_TOLERANCE = 0.05
"""How far a share, or an index made of shares, may be from the simulated mean."""

_SHARES = ("fairness.busiest_share", "fairness.jain")
_COUNTS = (
    "requests.completed",
    "requests.failed",
    "requests.cancelled",
    "probes.timeouts",
    "rows.removed",
    "rows.removed_alive",
    "loads.redundant",
)


def simulated_twin(scenario: Scenario, measured: Calibration, time_scale: float) -> Scenario:
    """Return the scenario with the times of the measured machine, so that a simulation resembles a live run on it.

    Transactions and messages take real time, which the time scale converts to scenario time. SQLite lets one
    transaction write at a time, so its picks are serial whatever the scenario asks for.
    """
    transaction_ns = round(measured.touch.median_ns / time_scale)
    pick_ns = round(measured.pick.median_ns / time_scale)
    latency_ns = round(measured.round_trip.median_ns / 2 / time_scale)
    router = scenario.router
    if measured.database == "sqlite":
        router = router.model_copy(update={"pick": "serial"})
    return scenario.model_copy(
        update={
            "registry": RegistrySpec.model_construct(transaction_ns=transaction_ns, pick_ns=pick_ns),
            "network": NetworkSpec.model_construct(latency_ns=latency_ns),
            "router": router,
        }
    )


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


def compare_figures(
    variant: str, live: dict[str, float], simulated: Sequence[dict[str, float]]
) -> list[ComparedFigure]:
    """Compare shares with the simulated mean, and counts with the range of the simulated replications.

    A count may lie outside the range by the width of the range, at least 1, as one more replication might.
    """
    replicas = [name for name in simulated[0] if name.startswith("replicas.") and name.endswith(".share")]
    shares = [_share(name, variant, live, simulated) for name in (*_SHARES, *replicas)]
    return shares + [_count(name, variant, live, simulated) for name in _COUNTS]


def compare_verdicts(
    expect: Sequence[Expectation], live: dict[str, RunResult], simulated: dict[str, RunResult]
) -> list[ComparedFigure]:
    """Require the same verdict on every expectation, except one that compares variants the simulation finds equal."""
    rows: list[ComparedFigure] = []
    for one in expect:
        for ours, theirs in zip(judge((one,), live), judge((one,), simulated), strict=True):
            is_tie = _is_tie(one, simulated)
            tolerance = "none: the simulation finds no difference" if is_tie else f"same verdict: {theirs.bound}"
            passed = is_tie or ours.passed is theirs.passed
            rows.append(ComparedFigure(ours.metric, ours.variant, ours.value, theirs.value, tolerance, passed))
    return rows


def _is_tie(one: Expectation, simulated: dict[str, RunResult]) -> bool:
    other = one.above or one.below
    if one.variant is None or other is None or not {one.variant, other} <= simulated.keys():
        return False
    window = window_of(one)
    ours, theirs = (simulated[name].metrics_in(window).get(one.metric) for name in (one.variant, other))
    return ours == theirs


def _share(name: str, variant: str, live: dict[str, float], simulated: Sequence[dict[str, float]]) -> ComparedFigure:
    value, values = live.get(name), [metrics[name] for metrics in simulated if name in metrics]
    mean = fmean(values) if values else None
    agree = value is mean if value is None or mean is None else abs(value - mean) <= SHARE_TOLERANCE
    return ComparedFigure(name, variant, value, mean, f"within {SHARE_TOLERANCE}", agree)


def _count(name: str, variant: str, live: dict[str, float], simulated: Sequence[dict[str, float]]) -> ComparedFigure:
    values = [metrics[name] for metrics in simulated]
    least, most = min(values), max(values)
    margin = max(1, most - least)
    least, most = max(0, least - margin), most + margin
    return ComparedFigure(
        name, variant, live[name], fmean(values), f"{least:g} to {most:g}", least <= live[name] <= most
    )
