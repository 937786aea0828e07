"""Means with control variates, and how many rows may be outside."""

import numpy as np
import pytest

from sim.measure.statistics import mean_interval
from sim.study.validate.estimate import Estimate, controlled_estimate


def test_without_controls_it_is_the_interval_of_student() -> None:
    values = [1.0, 2.0, 4.0, 7.0]

    interval = controlled_estimate(values, [()] * 4).interval(0.999)

    assert interval.mean == pytest.approx(3.5)
    assert interval.half_width == pytest.approx(mean_interval(values, 0.999).half_width)


def test_what_a_control_explains_is_taken_out() -> None:
    """Worked by hand: the values are 5 + 2 c, and +0.1, -0.2, +0.1 besides, which no line through them explains."""
    controls = [(-1.0,), (0.0,), (1.0,)]

    estimate = controlled_estimate([3.1, 4.8, 7.1], controls)

    assert estimate.mean == pytest.approx(5.0)
    assert estimate.freedom == 1
    # The residual variance is 0.06 with one degree of freedom, over three replications.
    assert estimate.error == pytest.approx((0.06 / 3) ** 0.5)


def test_equal_values_are_known_exactly() -> None:
    assert controlled_estimate([0.5] * 3, [(1.0,), (2.0,), (3.0,)]).error == 0


def test_a_control_that_never_differs_is_left_out() -> None:
    assert controlled_estimate([1.0, 2.0, 3.0], [(0.0,)] * 3).freedom == 2


def test_the_sum_of_two_independent_estimates_has_both_errors() -> None:
    """Worked by hand: 3² + 4² = 5², and (5⁴)/(3⁴/9 + 4⁴/16) = 625/25."""
    total = Estimate(1.0, 3.0, 9).plus(Estimate(2.0, 4.0, 16))

    assert (total.mean, total.error, total.freedom) == pytest.approx((3.0, 5.0, 25.0))


def test_a_level_that_adds_nothing_changes_nothing() -> None:
    total = Estimate(1.0, 3.0, 9).plus(Estimate(0.0, 0.0, 3))

    assert (total.mean, total.error, total.freedom) == pytest.approx((1.0, 3.0, 9.0))


def test_too_few_replications_for_the_controls_are_refused() -> None:
    with pytest.raises(ValueError, match="2 replications are too few for 1 controls"):
        controlled_estimate([1.0, 2.0], [(1.0,), (2.0,)])


def test_the_interval_holds_the_mean_as_often_as_it_says() -> None:
    """4000 intervals of 90 %: fewer than 3480 or more than 3720 that hold have a chance below 0.01 %."""
    generator = np.random.default_rng(20260522)
    held = 0
    for _ in range(4000):
        controls = generator.standard_normal((10, 2))
        values = 3 + controls @ [1.0, -2.0] + generator.standard_normal(10)
        held += controlled_estimate(values.tolist(), controls.tolist()).interval(0.9).holds(3.0)

    assert 3480 <= held <= 3720
