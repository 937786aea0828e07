"""Results for programs: one JSON document per scenario."""

import json
from collections.abc import Sequence
from typing import Any

from sim import __version__
from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun


def document(scenario: str, runs: Sequence[JudgedRun]) -> dict[str, Any]:
    """Return the document of a scenario's runs: variant by variant, each in the order of `runs`."""
    variants = dict.fromkeys(run.variant for run in runs)
    return {
        "sim": __version__,
        "scenario": scenario,
        "runs": [_run(run) for variant in variants for run in runs if run.variant == variant],
    }


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
        "expectations": [_expectation(verdict) for verdict in run.verdicts],
    }


def _expectation(verdict: Verdict) -> dict[str, Any]:
    return {
        "metric": verdict.metric,
        "variant": verdict.variant,
        "value": verdict.value,
        "bound": verdict.bound,
        "passed": verdict.passed,
    }
