"""One metric of two variants, compared seed by seed: which is better, by how much, and when that is not known."""

from collections.abc import Sequence

import numpy as np
import pytest

from sim.measure.catalogue import Better
from sim.measure.differences import Demand, Difference, Finding, Side, difference_of, finding
from sim.measure.statistics import Interval, paired_difference

DEMAND = Demand(confidence=0.95, margin=0.01)


def difference(a: Sequence[float | None], b: Sequence[float | None], metric: str = "latency.p99_s") -> Difference:
    return difference_of(metric, Side("before", a), Side("after", b), DEMAND)


# Where the interval of b less a lies, if a difference of up to 1 is nobody's concern; lower is better.
PLACES = {
    "below the margin": (-5, -2, Finding.B),
    "above the margin": (2, 5, Finding.A),
    "within the margin": (-0.9, 0.8, Finding.SAME),
    "the margin itself": (-1, 1, Finding.SAME),
    "no width at all": (0, 0, Finding.SAME),
    "across both ends": (-3, 2, Finding.UNCLEAR),
    "not 0, but across the upper end": (0.1, 3, Finding.UNCLEAR),
    "not 0, but across the lower end": (-3, -0.1, Finding.UNCLEAR),
    "beyond the margin, but for its end": (1, 2, Finding.UNCLEAR),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_verdict_goes_by_where_the_whole_interval_lies(place: str) -> None:
    low, high, expected = PLACES[place]

    assert finding(Interval((low + high) / 2, low, high), 1, Better.LOWER) is expected


@pytest.mark.parametrize(
    ("better", "expected"),
    [(Better.LOWER, Finding.A), (Better.HIGHER, Finding.B), (Better.NEITHER, Finding.DIFFERS)],
)
def test_which_of_them_is_better_is_the_metric_s_own_matter(better: Better, expected: Finding) -> None:
    assert finding(Interval(3, 2, 4), 1, better) is expected


def test_a_row_holds_both_means_and_the_paired_interval() -> None:
    a, b = [10.0, 12.0, 20.0], [5.0, 6.0, 13.0]

    row = difference(a, b)

    assert (row.a, row.b, row.difference, row.pairs) == (14, 8, -6, 3)
    assert row.interval == paired_difference(a, b, 0.95)
    assert row.verdict is Finding.B
    assert str(row) == "latency.p99_s: before 14, after 8, difference -6 [-8.484, -3.516]: better"


def test_the_margin_is_a_part_of_the_base() -> None:
    assert difference([100, 100, 100], [101, 101, 101]).verdict is Finding.SAME
    assert difference([100, 100, 100], [101.1, 101.1, 101.1]).verdict is Finding.A


def test_a_base_of_nothing_leaves_no_margin() -> None:
    assert difference([0, 0], [0, 0], "rows.removed_alive").verdict is Finding.SAME
    assert difference([0, 0], [1, 1], "rows.removed_alive").verdict is Finding.A


def test_seeds_on_which_the_metric_does_not_apply_to_both_do_not_count() -> None:
    row = difference([None, 10, 12, 14], [7, 5, 7, None])

    assert (row.pairs, row.a, row.b) == (2, 11, 6)
    assert row.verdict is Finding.B


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ([None, 3], [4, None], "latency.p99_s: applies to both before and after on no seed: unclear"),
        ([3, None], [4, 5], "latency.p99_s: before 3, after 4: unclear"),
    ],
)
def test_fewer_than_two_pairs_have_no_interval_and_decide_nothing(
    a: list[float | None], b: list[float | None], told: str
) -> None:
    row = difference(a, b)

    assert (row.interval, row.verdict, str(row)) == (None, Finding.UNCLEAR, told)


def test_an_unclear_verdict_tells_how_many_seeds_would_decide_it() -> None:
    # The differences scatter around 3 with a deviation of 20; the margin is 1. With n seeds the interval ends
    # 1.96 * 20 / sqrt(n) from its middle, and is clear of the margin, 2 away, from n = (1.96 * 20 / 2)^2 = 384 on.
    scatter = np.tile([-1.0, 1.0], 15) * 20 * (29 / 30) ** 0.5
    a = np.full(30, 100.0)

    row = difference(a.tolist(), (a + 3 + scatter).tolist())

    assert row.verdict is Finding.UNCLEAR
    assert row.seeds_to_tell == pytest.approx(386, abs=2)  # Student's t needs two more than the normal law.
    assert row.words == f"unclear, {row.seeds_to_tell} seeds may tell"


def test_seeds_without_a_pair_are_needed_too() -> None:
    a, b = [100.0, 100.0] * 10, [104.0, 96.0] * 10
    full = difference(a, b).seeds_to_tell

    row = difference([*a, *[None] * 20], [*b, *[None] * 20])

    assert full is not None
    assert row.seeds_to_tell == 2 * full


def test_a_difference_just_at_the_margin_is_never_told() -> None:
    assert difference([100, 100], [101.5, 100.5]).seeds_to_tell is None
