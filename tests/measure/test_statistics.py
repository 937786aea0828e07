import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.measure.statistics import Interval, mean_interval, percentiles

runs = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)

# Two-sided quantiles of Student's t with n-1 degrees of freedom, as in any printed table.
STUDENT = {(2, 0.95): 12.7062, (5, 0.95): 2.7764, (10, 0.95): 2.2622, (10, 0.99): 3.2498}


@pytest.mark.parametrize(("n", "confidence"), STUDENT)
def test_the_interval_reaches_as_many_standard_errors_as_the_table_of_student_says(n: int, confidence: float) -> None:
    values = [float(value) for value in range(n)]
    # Values 0..n-1 have variance n(n+1)/12, so a standard error of the mean of sqrt((n+1)/12).
    error = ((n + 1) / 12) ** 0.5

    interval = mean_interval(values, confidence)

    assert interval.mean == pytest.approx((n - 1) / 2)
    assert interval.half_width == pytest.approx(STUDENT[n, confidence] * error, rel=1e-4)


def test_equal_runs_have_an_interval_of_no_width() -> None:
    assert mean_interval([2.5, 2.5, 2.5]) == Interval(2.5, 2.5, 2.5)


@given(runs)
def test_the_interval_holds_its_mean_and_grows_with_confidence(values: list[float]) -> None:
    narrow, wide = mean_interval(values, 0.9), mean_interval(values, 0.99)

    assert narrow.holds(narrow.mean)
    assert wide.half_width >= narrow.half_width


@pytest.mark.parametrize("values", [[], [1.0]])
def test_one_run_has_no_interval(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least 2 replications"):
        mean_interval(values)


def test_percentiles_lie_on_straight_lines_between_the_sorted_values() -> None:
    assert percentiles([40, 10, 20, 30], (0, 50, 90, 100)) == pytest.approx([10, 25, 37, 40])


def test_percentiles_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        percentiles([], (50,))
