import json

import pytest

from sim.measure.expectations import Verdict
from sim.report.column import VariantColumn
from sim.report.document import document, to_json


def test_the_document_has_a_run_per_variant_and_seed() -> None:
    verdict = Verdict("fairness.jain", "fixed", 0.96, ">= 0.95", True)
    skipped = Verdict("fairness.jain", "fixed", None, "< pinned (not run)", None)
    column = VariantColumn(
        "fixed", [7, 8], [{"fairness.jain": 0.96}, {"requests.offered": 0}], ["aa", "bb"], [[verdict], [skipped]]
    )

    content = json.loads(to_json(document("0.1.0", "cache_pinning", [column])))

    assert content == {
        "sim": "0.1.0",
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


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_json_cannot_write_is_refused(value: float) -> None:
    column = VariantColumn("fixed", [1], [{"latency.mean_s": value}], ["aa"], [[]])

    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(document("0.1.0", "cache_pinning", [column]))


def test_a_variant_needs_as_many_results_as_seeds() -> None:
    with pytest.raises(ValueError, match="'fixed' needs metrics, a digest and verdicts for each of its seeds"):
        VariantColumn("fixed", [1, 2], [{}], ["aa"], [[]])
