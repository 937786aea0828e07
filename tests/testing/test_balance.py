"""`assert_balanced`: red for what is uneven, green for what is not, and honest about how little it was shown."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import binom

from sim import RunResult, loads, run
from sim.measure.even_share import EvenShare, even_shares
from sim.measure.summary import view_of
from sim.measure.window import Window
from sim.testing import assert_balanced
from sim.testing.balance import judged_shares
from tests.testing.late_replica import POLICIES, TEXT

FILE = loads(TEXT, policies=POLICIES)
FORGETFUL, RIGHT = run(FILE, "forgetful", 7), run(FILE, "right", 7)


FALSE_ALARM, RUNS = 0.05, 10_000
MOST_ALARMS = binom.isf(1e-6, RUNS, FALSE_ALARM)
"""So many in `RUNS` are exceeded in one of a million cases, if the false alarms are as frequent as is said."""


def shares_of(result: RunResult) -> list[EvenShare]:
    return even_shares(view_of(result.records, result.totals, result.facts, Window()), "qwen3")


def test_a_replica_that_was_forgotten_is_named_with_what_it_should_have_got() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_balanced(FORGETFUL)

    message = str(failure.value)
    assert "late_replica, forgetful, seed 7: qwen3 is not balanced" in message
    assert "n2#0 served 0 of" in message
    assert "n2#0                             0%  no request at all" in message
    assert "at most 0.001 of all runs" in message


def test_a_replica_that_came_late_is_held_to_what_arrived_since() -> None:
    assert_balanced(RIGHT)
    early, _, late = shares_of(RIGHT)
    assert late.offered == sum(RIGHT.requests["arrival_s"] >= 10)
    assert late.even == pytest.approx(late.offered / 3)
    assert early.even == pytest.approx((early.offered - late.offered) / 2 + late.offered / 3)


def test_a_window_leaves_out_what_arrived_before_it() -> None:
    assert_balanced(FORGETFUL, before="10s")
    with pytest.raises(AssertionError, match="qwen3 after 10s is not balanced"):
        assert_balanced(FORGETFUL, "qwen3", after="10s")


@pytest.mark.parametrize(
    ("before", "why"), [("1ms", "no completed request had a choice"), ("1s", "no split could fail")]
)
def test_what_cannot_be_told_is_no_green(before: str, why: str) -> None:
    with pytest.raises(AssertionError, match=f"the balance cannot be told: .*{why}"):
        assert_balanced(RIGHT, before=before)


def test_a_misspelt_model_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match="did you mean 'qwen3'"):
        assert_balanced(RIGHT, "qwen")


@pytest.mark.parametrize("requests", [12, 60, 600])
@pytest.mark.parametrize(
    "true_shares", [(0.5, 0.5), (0.65, 0.35), (0.7 / 3, 1 / 3, 1.3 / 3), (0.13, 0.07, *[0.1] * 8)], ids=str
)
def test_a_tolerable_router_fails_no_more_often_than_is_said(requests: int, true_shares: tuple[float, ...]) -> None:
    assert false_alarms(requests, true_shares, tolerance=0.3) <= MOST_ALARMS


def test_limits_that_are_too_narrow_would_be_found() -> None:
    assert false_alarms(600, (0.65, 0.35), tolerance=0.2) > MOST_ALARMS


def false_alarms(requests: int, true_shares: Sequence[float], tolerance: float) -> int:
    """Return how many of `RUNS` random splits fail."""
    replicas = len(true_shares)
    even = EvenShare("n0#0", 0, requests, requests / replicas)
    (limits,) = judged_shares([even], tolerance, FALSE_ALARM / replicas)
    splits = np.random.default_rng(requests).multinomial(requests, true_shares, size=RUNS)
    return int(np.count_nonzero(((splits < limits.least) | (splits > limits.most)).any(axis=1)))


def test_one_request_more_than_tolerable_fails() -> None:
    (judged,) = judged_shares([EvenShare("n0#0", 100, 200, 100.0)], 0.3, 0.001)
    beyond = [EvenShare("n0#0", count, 200, 100.0) for count in (judged.least - 1, judged.most + 1)]
    assert not any(one.is_tolerable for one in judged_shares(beyond, 0.3, 0.001))
