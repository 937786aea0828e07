from dataclasses import dataclass

import pytest

from sim.measure.expectations import Verdict, check, window_of
from sim.measure.window import Window


@dataclass(frozen=True)
class Expect:
    """An expectation as a scenario would hold it."""

    metric: str = "fairness.jain"
    variant: str | None = "fixed"
    min: float | None = None
    max: float | None = None
    above: str | None = None
    below: str | None = None
    after_ns: int | None = None
    before_ns: int | None = None


METRICS = {"pinned": {"fairness.jain": 0.5, "loads.failed": 0}, "fixed": {"fairness.jain": 0.96}}

CASES = {
    "at the smallest that passes": (Expect(min=0.96), ">= 0.96", True),
    "below the smallest": (Expect(min=0.97), ">= 0.97", False),
    "at the largest that passes": (Expect(max=0.96), "<= 0.96", True),
    "above the largest": (Expect(max=0.95), "<= 0.95", False),
    "within both": (Expect(min=0.9, max=1), ">= 0.9 and <= 1", True),
    "outside one of both": (Expect(min=0.9, max=0.95), ">= 0.9 and <= 0.95", False),
    "above the other variant": (Expect(above="pinned"), "> pinned (0.5)", True),
    "not below the other variant": (Expect(below="pinned"), "< pinned (0.5)", False),
    "the other variant was not run": (Expect(below="uncached"), "< uncached (not run)", None),
    "broken whatever the variant not run": (Expect(min=1, below="uncached"), ">= 1 and < uncached (not run)", False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bound_gives_its_verdict(case: str) -> None:
    expectation, bound, passed = CASES[case]

    verdicts = check(expectation, METRICS)

    assert verdicts == [Verdict("fairness.jain", "fixed", 0.96, bound, passed)]


def test_an_expectation_without_a_variant_is_checked_for_every_variant() -> None:
    verdicts = check(Expect(variant=None, min=0.9), METRICS)

    assert [(verdict.variant, verdict.passed) for verdict in verdicts] == [("pinned", False), ("fixed", True)]


def test_no_variant_is_compared_with_itself() -> None:
    verdicts = check(Expect(variant=None, above="pinned"), METRICS)

    assert [verdict.variant for verdict in verdicts] == ["fixed"]


def test_a_metric_that_does_not_apply_fails() -> None:
    verdicts = check(Expect(metric="ttft.p99_s", min=0), METRICS)

    assert verdicts == [Verdict("ttft.p99_s", "fixed", None, ">= 0", False)]


def test_a_value_with_nothing_to_stand_against_fails() -> None:
    verdicts = check(Expect(metric="loads.failed", variant="pinned", below="fixed"), METRICS)

    assert verdicts == [Verdict("loads.failed", "pinned", 0, "< fixed (absent)", False)]


def test_a_variant_that_was_not_run_has_no_verdict() -> None:
    assert check(Expect(variant="hardened", min=1), METRICS) == []


def test_a_verdict_knows_the_window_it_was_taken_over() -> None:
    (verdict,) = check(Expect(min=0.9, after_ns=5), METRICS)

    assert verdict.window == Window(5, None)


def test_the_window_of_an_expectation_is_open_where_it_says_nothing() -> None:
    assert window_of(Expect()) == Window(0, None)
    assert window_of(Expect(after_ns=5, before_ns=9)) == Window(5, 9)
