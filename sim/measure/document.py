"""Results for programs: one JSON document per scenario."""

import json
from collections.abc import Sequence
from typing import Any

from sim import __version__
from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun, by_variant
from sim.measure.over_seeds import joint_verdicts
from sim.scenario.text.units import format_duration


def document(scenario: str, runs: Sequence[JudgedRun]) -> dict[str, Any]:
    """Return the document of a scenario's runs: variant by variant, each in the order of `runs`.

    Expectations that are judged on all seeds together stand beside the runs, if there are any.
    """
    content: dict[str, Any] = {
        "sim": __version__,
        "scenario": scenario,
        "runs": [_run(run) for of_variant in by_variant(runs).values() for run in of_variant],
    }
    if joint := joint_verdicts(runs):
        content["expectations"] = [_joint_expectation(verdict) for verdict in joint]
    return content


def to_json(content: dict[str, Any] | list[dict[str, Any]]) -> str:
    """Return the document as indented JSON text.

    Raises ValueError for a figure that is infinite or not a number, which JSON cannot express.
    """
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)


def _run(run: JudgedRun) -> dict[str, Any]:
    return {
        "variant": run.variant,
        "seed": run.seed,
        "digest": run.digest,
        "metrics": run.metrics,
        "expectations": [_expectation(verdict) for verdict in run.verdicts if verdict.counts],
    }


def _joint_expectation(verdict: Verdict) -> dict[str, Any]:
    over = verdict.over
    if over is None:
        return _expectation(verdict)
    interval = over.interval
    return {
        **_expectation(verdict),
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "confidence": over.confidence,
        "seeds": over.seeds,
        "held": over.held,
        "worst_seed": over.worst_seed,
        "worst": over.worst,
        "command": verdict.command,
    }


def _expectation(verdict: Verdict) -> dict[str, Any]:
    content: dict[str, Any] = {
        "metric": verdict.metric,
        "variant": verdict.variant,
        "value": verdict.value,
        "bound": verdict.bound,
        "passed": verdict.passed,
    }
    if verdict.window.after_ns:
        content["after"] = format_duration(verdict.window.after_ns)
    if verdict.window.before_ns is not None:
        content["before"] = format_duration(verdict.window.before_ns)
    if verdict.shows_bug:
        content["shows_bug"] = True
    return content | ({"reason": verdict.reason} if verdict.reason else {})
