"""The same results for programs: one JSON document per scenario."""

import json
from collections.abc import Sequence
from typing import Any

from sim.measure.expectations import Verdict
from sim.report.column import VariantColumn


def document(version: str, scenario: str, columns: Sequence[VariantColumn]) -> dict[str, Any]:
    """Return the document of a scenario's runs: variant by variant, seed by seed."""
    return {
        "sim": version,
        "scenario": scenario,
        "runs": [
            {
                "variant": column.variant,
                "seed": seed,
                "digest": digest,
                "metrics": dict(metrics),
                "expectations": [_expectation(verdict) for verdict in verdicts],
            }
            for column in columns
            for seed, digest, metrics, verdicts in zip(
                column.seeds, column.digests, column.metrics, column.verdicts, strict=True
            )
        ],
    }


def to_json(content: dict[str, Any]) -> str:
    """Return the document as indented JSON text.

    Raises ValueError for a figure that is infinite or not a number, which JSON cannot express.
    """
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)


def _expectation(verdict: Verdict) -> dict[str, Any]:
    return {
        "metric": verdict.metric,
        "variant": verdict.variant,
        "value": verdict.value,
        "bound": verdict.bound,
        "passed": verdict.passed,
    }
