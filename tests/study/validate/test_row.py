"""When a row is inside, when a validation fails, and what is skipped."""

import pytest

from sim.study.validate.answer import FULL, Answer
from sim.study.validate.entry import Entry
from sim.study.validate.estimate import Estimate
from sim.study.validate.queueing.levels import TwoLevels
from sim.study.validate.queueing.served import mean_wait
from sim.study.validate.queueing.station import Station
from sim.study.validate.row import Row, compared, failures, most_outside_by_chance
from sim.study.validate.system import Question

QUESTION = Question(TwoLevels(Station(0.5)), mean_wait)


def row(value: float, ours: float, error: float, **entry: object) -> Row:
    written = {"id": "X", "model": "M/M/1", "quantity": "mean_wait", "value": value, **entry}
    answer = Answer(Estimate(ours, error, 20), spent_s=2.4, needed_s=10.2)
    return compared(Entry.model_validate(written), value, QUESTION, answer, FULL)


@pytest.mark.parametrize(
    ("ours", "error", "verdict"),
    [
        pytest.param(1.005, 0.002, "inside", id="within 3.85 standard errors"),
        pytest.param(1.010, 0.002, "outside", id="beyond them"),
        pytest.param(1.005, 0.004, "skipped", id="inside an interval of 1.5 %, which proves nothing"),
        pytest.param(1.100, 0.004, "outside", id="outside an interval of 1.5 %, which proves it all the more"),
        pytest.param(1.000, 0.000, "inside", id="exact and equal"),
        pytest.param(1.001, 0.000, "outside", id="exact and not equal"),
    ],
)
def test_a_row_is_judged_by_its_interval(ours: float, error: float, verdict: str) -> None:
    assert row(1.0, ours, error).verdict == verdict


def test_a_value_that_is_an_estimate_itself_may_be_further_off() -> None:
    assert row(1.0, 1.010, 0.002, kind="simulation", standard_error=0.003).verdict == "inside"


def test_printed_digits_are_taken_for_what_they_are() -> None:
    assert row(1.234, 1.2344, 0.0, kind="published").verdict == "inside"
    assert row(1.234, 1.2344, 0.0, kind="closed-form").verdict == "outside"


def test_a_formula_that_was_cut_at_nine_decimals_is_no_more_exact_than_that() -> None:
    """GT-0365 of the table is 1/30.6. All replications of the probe cache agree on that."""
    assert row(0.032679739, 1 / 30.6, 0.0, kind="closed-form").verdict == "inside"
    assert row(0.032679739, 0.0326797396, 0.0, kind="closed-form").verdict == "outside"


def test_a_skipped_row_says_how_much_longer_it_would_take() -> None:
    reason = row(1.0, 1.0, 0.004).reason

    assert "1.5 % wide to each side after about 2.4 s; 1 % would take about 10 s" in reason


def test_one_row_that_is_barely_outside_is_chance_and_one_that_is_far_outside_is_not() -> None:
    rest = [row(1.0, 1.0, 0.002)] * 99

    assert failures([*rest, row(1.0, 1.009, 0.002)]) == []
    assert len(failures([*rest, row(1.0, 1.016, 0.002)])) == 1


def test_many_rows_that_are_barely_outside_are_no_chance() -> None:
    rest = [row(1.0, 1.0, 0.002)] * 90

    assert len(failures([*rest, *[row(1.0, 1.009, 0.002)] * 10])) == 10


def test_how_many_rows_may_be_outside() -> None:
    """Of 300 independent rows more than 3 are outside with a chance of 0.03 %, more than 2 with one of 0.4 %."""
    assert most_outside_by_chance(300) == 3
