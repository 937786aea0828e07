from typing import Any

import pytest

from sim.measure.expectations import Verdict, check, window_of
from sim.measure.window import Window
from sim.scenario import Expectation


def expect(metric: str = "fairness.jain", variant: str | None = "fixed", **keys: Any) -> Expectation:
    return Expectation.model_validate({"metric": metric, "variant": variant, **keys})


METRICS = {
    "pinned": {"fairness.jain": 0.5, "loads.failed": 0},
    "fixed": {"fairness.jain": 0.96},
    "equal": {"fairness.jain": 0.96},
}

CASES = {
    "at the smallest that passes": (expect(min=0.96), ">= 0.96", True),
    "below the smallest": (expect(min=0.97), ">= 0.97", False),
    "at the largest that passes": (expect(max=0.96), "<= 0.96", True),
    "above the largest": (expect(max=0.95), "<= 0.95", False),
    "within both": (expect(min=0.9, max=1), ">= 0.9 and <= 1", True),
    "outside one of both": (expect(min=0.9, max=0.95), ">= 0.9 and <= 0.95", False),
    "above the other variant": (expect(above="pinned"), "> pinned (0.5)", True),
    "not above one that has as much": (expect(above="equal"), "> equal (0.96)", False),
    "not below one that has as much": (expect(below="equal"), "< equal (0.96)", False),
    "not below the other variant": (expect(below="pinned"), "< pinned (0.5)", False),
    "the other variant was not run": (expect(below="uncached"), "< uncached (not run)", None),
    "broken whatever the variant not run": (expect(min=1, below="uncached"), ">= 1 and < uncached (not run)", False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bound_gives_its_verdict(case: str) -> None:
    expectation, bound, passed = CASES[case]

    verdicts = check(expectation, METRICS)

    assert verdicts == [Verdict("fairness.jain", "fixed", 0.96, bound, passed)]


def test_a_verdict_knows_that_to_keep_the_bound_is_to_show_a_bug() -> None:
    [shown] = check(expect(variant="pinned", max=0.5, shows="bug"), METRICS)
    [good] = check(expect(min=0.9), METRICS)

    assert (shown.passed, shown.shows_bug) == (True, True)
    assert (good.passed, good.shows_bug) == (True, False)


def test_an_expectation_without_a_variant_is_checked_for_every_variant() -> None:
    verdicts = check(expect(variant=None, min=0.9), METRICS)

    assert [(verdict.variant, verdict.passed) for verdict in verdicts] == [
        ("pinned", False),
        ("fixed", True),
        ("equal", True),
    ]


def test_a_metric_that_does_not_apply_fails() -> None:
    verdicts = check(expect(metric="ttft.p99_s", min=0), METRICS)

    assert verdicts == [Verdict("ttft.p99_s", "fixed", None, ">= 0", False)]


def test_a_metric_that_does_not_apply_fails_even_where_the_other_variant_was_not_run() -> None:
    verdicts = check(expect(metric="ttft.p99_s", below="uncached"), METRICS)

    assert verdicts == [Verdict("ttft.p99_s", "fixed", None, "< uncached (not run)", False)]


def test_a_value_with_nothing_to_stand_against_fails() -> None:
    verdicts = check(expect(metric="loads.failed", variant="pinned", below="fixed"), METRICS)

    assert verdicts == [Verdict("loads.failed", "pinned", 0, "< fixed (absent)", False)]


def test_a_variant_that_was_not_run_has_no_verdict() -> None:
    assert check(expect(variant="hardened", min=1), METRICS) == []


def test_a_verdict_knows_the_window_it_was_taken_over() -> None:
    (verdict,) = check(expect(min=0.9, after="5ns"), METRICS)

    assert verdict.window == Window(5, None)


def test_the_window_of_an_expectation_is_open_where_it_says_nothing() -> None:
    assert window_of(expect(min=0)) == Window(0, None)
    assert window_of(expect(min=0, after="5ns", before="9ns")) == Window(5, 9)


ONE_MODEL = {"fairness.jain": 0.5}
TWO_MODELS = {"fairness.jain": 0.5, "models.qwen3.fairness.jain": 0.9, "models.llama3.fairness.jain": 0.5}


def test_an_expectation_of_a_model_is_held_against_that_models_figure() -> None:
    (verdict,) = check(expect(model="qwen3", min=0.8), {"fixed": TWO_MODELS})

    assert (verdict.metric, verdict.value, verdict.passed) == ("models.qwen3.fairness.jain", 0.9, True)


def test_in_a_run_of_one_model_the_models_figure_is_the_plain_one() -> None:
    (verdict,) = check(expect(model="qwen3", min=0.8), {"fixed": ONE_MODEL})

    assert (verdict.metric, verdict.value, verdict.passed) == ("fairness.jain", 0.5, False)


def test_the_figure_of_a_model_is_never_taken_for_that_of_another() -> None:
    (verdict,) = check(expect(model="phi", min=0.1), {"fixed": TWO_MODELS})

    assert (verdict.value, verdict.passed) == (None, False)


def test_a_models_figure_is_compared_with_that_of_the_same_model() -> None:
    (verdict,) = check(expect(model="qwen3", above="pinned"), {"pinned": ONE_MODEL, "fixed": TWO_MODELS})

    assert (verdict.bound, verdict.passed) == ("> pinned (0.5)", True)
