"""The name of each test of a scenario: what is expected, and nothing that changes from run to run."""

from typing import Any

import pytest

from sim.scenario import Expectation
from sim.testing.expectation_names import name_of

NAMES: dict[str, dict[str, Any]] = {
    "fairness.jain>=0.95[after=60s]": {"metric": "fairness.jain", "min": 0.95, "after": "60s"},
    "requests.offered=1234567": {"metric": "requests.offered", "min": 1234567, "max": 1234567},
    "fairness.jain>=0.5,<=0.9": {"metric": "fairness.jain", "min": 0.5, "max": 0.9},
    "requests.failed=0[every_seed]": {"metric": "requests.failed", "equals": 0, "for_every_seed": True},
    "latency.p99_s<pinned[before=300s,over=20]": {
        "metric": "latency.p99_s",
        "variant": "fixed",
        "below": "pinned",
        "before": "5m",
        "over": "20 seeds",
    },
    "burst.max_over_ideal>=3[model=qwen3,over=5,confidence=0.99]": {
        "metric": "burst.max_over_ideal",
        "model": "qwen3",
        "min": 3,
        "over": "5 seeds",
        "confidence": 0.99,
    },
    "fairness.busiest_share>=0.99[shows=bug]": {"metric": "fairness.busiest_share", "min": 0.99, "shows": "bug"},
}


@pytest.mark.parametrize("name", NAMES)
def test_the_name_says_what_is_expected(name: str) -> None:
    assert name_of(Expectation.model_validate(NAMES[name])) == name
