"""Policies that remember: who is new, and whose requests have failed."""

from typing import Any

import pytest

from sim.routing.policies.standard.outlier_ejection import OutlierEjection
from sim.routing.policies.standard.slow_start import weight_share
from sim.routing.policies.standard.weighted_least_request import WeightedLeastRequest
from tests.hand_clock import HandClock
from tests.routing.policies.views import REQUEST, SECOND, assert_drawn, loads, made, picks, replica

# id: (age in s of a replica with a window of 60 s, aggression, expected share of its weight); Envoy's formula.
SHARES: dict[str, tuple[float, float, float]] = {
    "less than a second counts as one": (0, 1.0, 0.1),
    "the least share holds": (3, 1.0, 0.1),
    "half way": (30, 1.0, 0.5),
    "half way, with aggression": (30, 2.0, 0.5**0.5),
    "the window is over": (60, 1.0, 1.0),
}


@pytest.mark.parametrize(("age_s", "aggression", "expected"), SHARES.values(), ids=SHARES)
def test_of_its_weight_a_new_replica_has(age_s: float, aggression: float, expected: float) -> None:
    share = weight_share(round(age_s * SECOND), 60 * SECOND, aggression, least=0.1)

    assert share == pytest.approx(expected, rel=1e-12)


def test_a_second_is_the_least_age() -> None:
    assert weight_share(0, 4 * SECOND, 1.0, least=0.1) == 0.25


def test_a_replica_that_joins_is_drawn_by_a_part_of_its_weight_until_the_window_is_over() -> None:
    clock = HandClock()
    policy = made(WeightedLeastRequest, clock=clock, slow_start_s=60)
    assert_drawn(policy, loads(a=0, b=0), {"a": 1 / 2, "b": 1 / 2})

    three = loads(a=0, b=0, c=0)
    policy.pick(three, REQUEST)
    clock.t_ns = 30 * SECOND
    assert_drawn(policy, three, {"a": 0.4, "b": 0.4, "c": 0.2})
    clock.t_ns = 60 * SECOND
    assert_drawn(policy, three, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})


def test_a_row_that_is_written_anew_is_new_again() -> None:
    policy = made(WeightedLeastRequest, slow_start_s=60)
    policy.pick(loads(a=0, b=0), REQUEST)

    assert_drawn(policy, [replica("a"), replica("b", row="another")], {"a": 10 / 11, "b": 1 / 11})


TWO = loads(a=0, b=1)


def end(policy: Any, node: str, outcomes: str) -> None:
    """Tell the policy how requests on the node ended: completed, failed, cancelled."""
    words = {"c": "completed", "f": "failed", "l": "cancelled"}
    for letter in outcomes:
        policy.ended(replica(node), REQUEST, words[letter], SECOND)


# id: (how requests on a ended, whether it is ejected after 3 failures in a row)
ENDINGS: dict[str, tuple[str, bool]] = {
    "three failed": ("fff", True),
    "two failed": ("ff", False),
    "one completed in between": ("ffcff", False),
    "clients that leave count as well": ("flf", True),
}


@pytest.mark.parametrize(("outcomes", "is_ejected"), ENDINGS.values(), ids=ENDINGS)
def test_a_replica_is_ejected_after_failures_in_a_row(outcomes: str, is_ejected: bool) -> None:
    policy = made(OutlierEjection, consecutive_failures=3)
    end(policy, "a", outcomes)

    assert picks(policy, [TWO]) == ("b" if is_ejected else "a")


def test_a_replica_is_taken_back_when_its_time_is_over() -> None:
    clock = HandClock()
    policy = made(OutlierEjection, clock=clock, consecutive_failures=1, ejection_s=30)
    end(policy, "a", "f")

    clock.t_ns = 30 * SECOND - 1
    before = picks(policy, [TWO])
    clock.t_ns = 30 * SECOND

    assert before + picks(policy, [TWO]) == "ba"


def test_failures_while_it_is_ejected_do_not_make_it_longer() -> None:
    clock = HandClock()
    policy = made(OutlierEjection, clock=clock, consecutive_failures=2, ejection_s=30)
    end(policy, "a", "ff")
    clock.t_ns = 20 * SECOND
    end(policy, "a", "ff")
    clock.t_ns = 30 * SECOND

    assert picks(policy, [TWO]) == "a"


@pytest.mark.parametrize(("max_ejected", "expected"), [(0.0, "a"), (0.25, "b"), (0.5, "c"), (0.75, "d"), (1.0, "-")])
def test_no_more_than_their_part_are_ejected_and_the_first_stay_out(max_ejected: float, expected: str) -> None:
    clock = HandClock()
    policy = made(OutlierEjection, clock=clock, consecutive_failures=1, max_ejected=max_ejected)
    for node in "abcd":
        clock.t_ns += 1
        end(policy, node, "f")

    assert picks(policy, [loads(a=0, b=1, c=2, d=3)]) == expected
