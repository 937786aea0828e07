"""How the runs of one seed stand to what their scenario expects."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sim.measure.expectations import Verdict, check, window_of
from sim.measure.result import RunResult
from sim.measure.window import Window
from sim.scenario import Expectation


def judge(expect: Sequence[Expectation], results: Mapping[str, RunResult]) -> list[Verdict]:
    """Check the expectations against the runs of one seed, by variant; in the order of the file.

    An expectation does not hold if what it is about never happened, whatever the figure: no request or probe in its
    window, a fault of the scenario that struck in none of the runs, or two variants to compare that decided alike.
    """
    verdicts: list[Verdict] = []
    metrics: dict[Window, dict[str, Mapping[str, float]]] = {}
    for expectation in expect:
        window = window_of(expectation)
        if window not in metrics:
            metrics[window] = {name: result.figures_in(window) for name, result in results.items()}
        verdicts += [_of_run(verdict, expectation, results) for verdict in check(expectation, metrics[window])]
    return verdicts


def _of_run(verdict: Verdict, expectation: Expectation, results: Mapping[str, RunResult]) -> Verdict:
    verdict = replace(verdict, seed=results[verdict.variant].seed)
    reason = _why_it_says_nothing(verdict, expectation, results)
    return replace(verdict, passed=verdict.passed and not reason, reason=reason)


def _why_it_says_nothing(verdict: Verdict, expectation: Expectation, results: Mapping[str, RunResult]) -> str:
    """Return what did not happen, without which the figure says nothing; empty if all of it did."""
    result = results[verdict.variant]
    if absence := result.absence(verdict.metric, verdict.window):
        return absence
    for other in expectation.others:
        if other in results and results[other].digest == result.digest:
            return f"{verdict.variant} decided exactly as {other}"
    for fault in result.facts.faults:
        if not any(one.has_struck(fault) for one in results.values()):
            return f"the fault {fault} never struck"
    return ""
