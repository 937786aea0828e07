"""The results of `sim run` as JUnit XML, which CI systems show as tests: one for each expectation and run."""

from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree as ET

from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun
from sim.measure.over_seeds import joint_verdicts
from sim.report.ci.junit_form import add_failure, add_skip, junit_case, junit_document


def junit_xml(scenarios: Iterable[tuple[str, Sequence[JudgedRun]]]) -> str:
    """Return the runs of each scenario, given with its name, as a document with a suite for each.

    The form is that of the Jenkins plug-in's schema, which GitHub, GitLab and others read as well. A test has the name
    of the expectation without any figure of the run, so that a CI system can follow it over time; the figures are its
    properties. An expectation that could not be checked is a skipped test.
    """
    return junit_document(
        (name, [_case(name, verdict, digest) for verdict, digest in _judged(runs)]) for name, runs in scenarios
    )


def _judged(runs: Sequence[JudgedRun]) -> Iterator[tuple[Verdict, str]]:
    """Yield each verdict with the digest of its run, then those on several seeds together, which have none."""
    for run in runs:
        for verdict in run.verdicts:
            if verdict.counts:
                yield verdict, run.digest
    for verdict in joint_verdicts(runs):
        yield verdict, ""


def _case(scenario: str, verdict: Verdict, digest: str) -> ET.Element:
    seed = "" if verdict.seed is None else f", seed {verdict.seed}"
    case = junit_case(f"{scenario}.{verdict.variant}", _name(verdict) + seed, figures_of(verdict, digest))
    if verdict.passed is False:
        add_failure(case, "expectation", str(verdict), [str(verdict), verdict.command])
    elif verdict.passed is None:
        add_skip(case, verdict.reason or f"{verdict.bound}: could not be checked")
    return case


def _name(verdict: Verdict) -> str:
    """Return the metric, its window and what is expected of it."""
    one = verdict.expectation
    if one is None:
        return f"{verdict.metric} {verdict.bound}"
    expected = [f"{sign} {limit:.6g}" for sign, limit in one.limits]
    expected += [f"{sign} {other}" for sign, other in one.comparisons]
    return f"{verdict.figure_name} {' and '.join(expected)}"


def figures_of(verdict: Verdict, digest: str) -> dict[str, str]:
    """Return the figures that belong to a test as its properties; what is not known is left out."""
    return {
        name: str(value) for name, value in {**_figures(verdict), "digest": digest}.items() if value not in (None, "")
    }


def _figures(verdict: Verdict) -> dict[str, object]:
    figures: dict[str, object] = {
        "metric": verdict.metric,
        "variant": verdict.variant,
        "seed": verdict.seed,
        "value": verdict.value,
        "bound": verdict.bound,
        "command": verdict.command,
    }
    over = verdict.over
    if over is None:
        return figures
    interval = over.interval and {"low": over.interval.low, "high": over.interval.high, "confidence": over.confidence}
    return {**figures, **(interval or {}), "seeds": over.seeds, "held": over.held, "worst_seed": over.worst_seed}
