import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim.measure.statistics import (
    Interval,
    Sample,
    mean_interval,
    paired_difference,
    percentiles,
    replications_for,
    simultaneous,
    unpaired_difference,
)

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


def test_the_paired_interval_is_that_of_the_differences_second_less_first() -> None:
    # Differences 2, 4 and 6: their standard error is 2 / sqrt(3), and 4.3027 is Student's quantile for two degrees.
    difference = paired_difference([10, 200, 3000], [12, 204, 3006])

    assert difference.mean == 4
    assert difference.half_width == pytest.approx(4.3027 * 2 / 3**0.5, rel=1e-4)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=20))
def test_the_other_way_round_the_difference_changes_only_its_sign(pairs: list[tuple[float, float]]) -> None:
    a, b = zip(*pairs, strict=True)
    forth, back = paired_difference(a, b), paired_difference(b, a)

    assert (back.mean, back.low, back.high) == pytest.approx((-forth.mean, -forth.high, -forth.low))


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20), st.integers(-1000, 1000))
def test_a_difference_that_every_pair_shows_has_an_interval_of_no_width(a: list[int], shift: int) -> None:
    assert paired_difference(a, [value + shift for value in a]) == Interval(shift, shift, shift)


def test_values_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="not 2 and 3"):
        paired_difference([1, 2], [1, 2, 3])


def test_intervals_that_hold_together_share_the_probability_of_missing() -> None:
    assert simultaneous(0.95, 10) == pytest.approx(0.995)
    assert simultaneous(0.95, 1) == simultaneous(0.95, 0) == pytest.approx(0.95)


@given(st.floats(1.2, 30))
def test_the_forecast_is_the_first_number_of_replications_that_is_enough(precision: float) -> None:
    values = [-1.0, 1.0] * 5  # Their deviation is sqrt(10/9).
    half_width = 1 / precision

    forecast = replications_for(values, half_width)

    assert forecast is not None
    half_widths = [stats.t.ppf(0.975, n - 1) * (10 / 9 / n) ** 0.5 for n in (forecast - 1, forecast)]
    assert half_widths[1] <= half_width
    assert half_widths[0] > half_width or forecast == len(values)


def test_no_spread_needs_no_more_and_no_width_can_be_reached_with_some() -> None:
    assert replications_for([2, 2, 2], half_width=0) == 3
    assert replications_for([1, 2, 3], half_width=0) is None
    assert replications_for([1, 2, 3], half_width=1e-6) is None  # More than a million.


def test_percentiles_lie_on_straight_lines_between_the_sorted_values() -> None:
    assert percentiles([40, 10, 20, 30], (0, 50, 90, 100)) == pytest.approx([10, 25, 37, 40])


def test_percentiles_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        percentiles([], (50,))


@pytest.mark.parametrize("spreads", [(1.0, 1.0), (0.1, 3.0)], ids=["equal", "unequal"])
def test_an_unpaired_difference_is_that_of_welch(spreads: tuple[float, float]) -> None:
    random = np.random.default_rng()
    a, b = random.normal(0, spreads[0], 12), random.normal(1, spreads[1], 30)
    theirs = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.9)

    of_a, of_b = (Sample(float(np.mean(x)), float(np.std(x, ddof=1)), len(x)) for x in (a, b))
    ours = unpaired_difference(of_a, of_b, 0.9)

    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_samples_without_spread_differ_by_an_interval_of_no_width() -> None:
    assert unpaired_difference(Sample(1, 0, 5), Sample(3, 0, 5)) == Interval(2, 2, 2)


def test_a_sample_can_be_told_from_its_interval() -> None:
    values = [1.0, 2.0, 4.0, 8.0]
    interval = mean_interval(values, 0.99)

    sample = Sample.of(interval.mean, interval.half_width, len(values), 0.99)

    assert sample == pytest.approx((np.mean(values), np.std(values, ddof=1), 4))
