"""When a router is called affected by a regression, and how often that is a mistake."""

from math import comb

import pytest

from sim.measure.expectations import Bound, Verdict
from sim.measure.immunity import (
    FALSE_ALARM,
    TOLERATED,
    Immunity,
    Known,
    Standing,
    beyond_chance,
    not_applicable,
    standing,
)
from sim.measure.judged_run import JudgedRun
from sim.scenario import Expectation

KNOWN = Known("sticky", "One node takes all.", "fairness.busiest_share")
AT_MOST = Expectation(metric="fairness.busiest_share", variant="fixed", max=0.7)
NONE_FAILED = Expectation(metric="requests.failed", variant="fixed", equals=0)


def runs(*shares: float | None, failed: float = 0) -> list[JudgedRun]:
    """One run a seed, each with these verdicts."""
    return [
        JudgedRun(
            "fixed",
            seed,
            "",
            {"latency.p99_s": 1.0 + seed},
            (verdict(AT_MOST, share, seed), verdict(NONE_FAILED, failed, seed)),
        )
        for seed, share in enumerate(shares)
    ]


def verdict(expectation: Expectation, value: float | None, seed: int) -> Verdict:
    bounds = tuple(Bound(*limit) for limit in expectation.limits)
    kept = value is not None and all(bound.holds(value) for bound in bounds)
    text = " and ".join(map(str, bounds))
    return Verdict(expectation.metric, "fixed", value, text, kept, seed=seed, bounds=bounds, expectation=expectation)


FOUND = {
    "no seed breaks a bound": ((0.5, 0.6, 0.7), Immunity.IMMUNE),
    "fewer than too many": ((0.5, 0.5, 0.9), Immunity.UNCLEAR),
    "just too many": ((0.5, 0.9, 0.9), Immunity.AFFECTED),
    "all of them": ((1.0, 1.0, 1.0), Immunity.AFFECTED),
    "the figure is absent on each": ((None, None, None), Immunity.AFFECTED),
}


@pytest.mark.parametrize("case", FOUND)
def test_a_router_is_affected_if_too_many_seeds_break_a_bound(case: str) -> None:
    shares, expected = FOUND[case]

    assert standing(KNOWN, runs(*shares), too_many=2).immunity is expected


def test_any_of_the_bounds_counts() -> None:
    found = standing(KNOWN, runs(0.5, 0.5, failed=1), too_many=2)

    assert (found.immunity, found.broken) == (Immunity.AFFECTED, 2)
    assert found.worst is not None
    assert found.worst.metric == "requests.failed"


def test_what_is_shown_is_the_figure_that_was_judged_and_the_worst_seed() -> None:
    found = standing(KNOWN, runs(0.8, 1.0, 0.9), too_many=2)

    assert found.figure is not None
    assert found.figure.mean == pytest.approx(0.9)
    assert found.worst is not None
    assert (found.worst.value, found.worst.seed) == (1.0, 1)


def test_a_metric_that_no_bound_is_about_is_that_of_the_whole_run() -> None:
    known = Known("slow", "It is slow.", "latency.p99_s")

    found = standing(known, runs(0.5, 0.5, 0.5), too_many=2)

    assert found.figure is not None
    assert found.figure.mean == 2.0


def test_an_unclear_standing_says_how_many_seeds_may_tell() -> None:
    assert standing(KNOWN, runs(0.5, 0.5, 0.9), too_many=2).words == "unclear, 9 seeds may tell"


def test_an_excuse_keeps_an_affected_router_from_failing_and_is_told() -> None:
    excused = Known(KNOWN.name, KNOWN.symptom, KNOWN.metric, "allowed")

    found = standing(excused, runs(1.0, 1.0), too_many=2)

    assert (found.fails, found.words) == (False, "affected, allowed")


def test_what_a_policy_does_not_decide_fails_nothing() -> None:
    found = not_applicable(KNOWN, "decided by the probes")

    assert (found.fails, str(found)) == (False, "sticky: not applicable, decided by the probes")


def chance_of(at_least: int, seeds: int) -> float:
    """The probability of so many seeds that break a bound, if each does so with the tolerated probability."""
    return sum(
        comb(seeds, number) * TOLERATED**number * (1 - TOLERATED) ** (seeds - number)
        for number in range(at_least, seeds + 1)
    )


@pytest.mark.parametrize("regressions", [1, 5, 14, 45])
@pytest.mark.parametrize("seeds", [4, 10, 20, 100])
def test_a_router_that_breaks_bounds_by_chance_raises_an_alarm_in_one_check_of_a_hundred(
    seeds: int, regressions: int
) -> None:
    too_many = beyond_chance(seeds, regressions)

    assert regressions * chance_of(too_many, seeds) <= FALSE_ALARM
    assert regressions * chance_of(too_many - 1, seeds) > FALSE_ALARM


def test_too_few_seeds_to_show_anything_are_refused() -> None:
    with pytest.raises(ValueError, match="found 3 as the number of seeds; allowed: 4 or more"):
        beyond_chance(3, 200)


def test_a_standing_reads_as_one_line() -> None:
    found: Standing = standing(KNOWN, runs(1.0, 1.0), too_many=2)

    assert str(found) == (
        "sticky: affected; fairness.busiest_share is 1 on seed 0, expected <= 0.7; broken on 2 of 2 seeds"
    )
