import json

import pytest

from sim import __version__
from sim.measure.document import document, to_json
from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun


def test_the_document_has_a_run_per_variant_and_seed() -> None:
    verdict = Verdict("fairness.jain", "fixed", 0.96, ">= 0.95", True)
    skipped = Verdict("fairness.jain", "fixed", None, "< pinned (not run)", None)
    runs = [
        JudgedRun("fixed", 7, "aa", {"fairness.jain": 0.96}, (verdict,)),
        JudgedRun("fixed", 8, "bb", {"requests.offered": 0}, (skipped,)),
    ]

    content = json.loads(to_json(document("cache_pinning", runs)))

    assert content == {
        "sim": __version__,
        "scenario": "cache_pinning",
        "runs": [
            {
                "variant": "fixed",
                "seed": 7,
                "digest": "aa",
                "metrics": {"fairness.jain": 0.96},
                "expectations": [
                    {"metric": "fairness.jain", "variant": "fixed", "value": 0.96, "bound": ">= 0.95", "passed": True}
                ],
            },
            {
                "variant": "fixed",
                "seed": 8,
                "digest": "bb",
                "metrics": {"requests.offered": 0},
                "expectations": [
                    {
                        "metric": "fairness.jain",
                        "variant": "fixed",
                        "value": None,
                        "bound": "< pinned (not run)",
                        "passed": None,
                    }
                ],
            },
        ],
    }


def test_an_expectation_that_shows_a_bug_says_so() -> None:
    shown = Verdict("fairness.busiest_share", "pinned", 1, "= 1", True, shows_bug=True)

    content = document("cache_pinning", [JudgedRun("pinned", 7, "aa", {}, (shown,))])

    assert content["runs"][0]["expectations"][0]["shows_bug"] is True


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_json_cannot_write_is_refused(value: float) -> None:
    run = JudgedRun("fixed", 1, "aa", {"latency.mean_s": value}, ())

    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(document("cache_pinning", [run]))


def test_the_runs_of_a_variant_stand_together_whatever_order_they_came_in() -> None:
    runs = [JudgedRun(variant, seed, "", {}, ()) for seed in (7, 8) for variant in ("pinned", "fixed")]

    listed = [(run["variant"], run["seed"]) for run in document("cache_pinning", runs)["runs"]]

    assert listed == [("pinned", 7), ("pinned", 8), ("fixed", 7), ("fixed", 8)]
