"""The distribution of latencies of each variant, as it is worked out and as it is drawn."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from sim.report.plots.look.axes import file_axes
from sim.report.plots.variants.latency import PARTS, LatencyCurve, draw_latency, latency_curve
from tests.report.plots.by_hand import legend, line, title


def requests(*latencies_s: float) -> pd.DataFrame:
    return pd.DataFrame({"latency_s": latencies_s}, dtype=float)


def curve(variant: str, *runs: pd.DataFrame) -> LatencyCurve:
    found = latency_curve(variant, runs)
    assert found is not None
    return found


# Straight from 0 to 4 s, and from 2 to 8 s: with a median over the two from 1 to 6 s.
TWO_SEEDS = (requests(0, 1, 2, 3, 4), requests(2, 3.5, 5, 6.5, 8))


def is_the_median_of_two_seeds(axes: Axes, label: str) -> bool:
    x, y = line(axes, label)
    return np.allclose(y, PARTS) and np.allclose(x, 1 + 5 * PARTS)


def test_a_curve_is_the_median_over_the_seeds_of_the_latency_that_a_part_stays_below() -> None:
    mine = curve("mine", *TWO_SEEDS)

    axes = draw_latency([mine], file_axes())
    assert is_the_median_of_two_seeds(axes, mine.label)
    assert np.allclose(mine.low_s, 4 * PARTS)
    assert np.allclose(mine.high_s, 2 + 6 * PARTS)


def test_a_curve_over_all_requests_of_all_seeds_is_noticed() -> None:
    pooled = curve("mine", pd.concat(TWO_SEEDS))

    assert not is_the_median_of_two_seeds(draw_latency([pooled], file_axes()), pooled.label)


def test_marks_are_on_the_curve_at_half_nine_tenths_and_all_but_a_hundredth() -> None:
    axes = draw_latency([curve("mine", requests(0, 1, 2, 3, 4))], file_axes())

    (marks,) = [one for one in axes.lines if one.get_linestyle() == "None"]
    assert np.allclose(marks.get_xydata(), [(2, 0.5), (3.6, 0.9), (3.96, 0.99)])


def test_the_axes_tell_the_seeds_and_how_many_requests_completed() -> None:
    failing = curve("fails", requests(1, 2, 3, np.nan))
    axes = draw_latency([curve("mine", *TWO_SEEDS), failing], file_axes())

    assert axes.get_xlabel() == "latency, s (marks at 50, 90 and 99 %; median and range of 2 seeds)"
    assert legend(axes) == ["mine", "fails\n(75 % completed)"]


def test_variants_have_lines_and_marks_of_their_own_and_no_colour() -> None:
    axes = draw_latency([curve(name, *TWO_SEEDS) for name in ("a", "b", "c")], file_axes())

    assert [one.get_linestyle() for one in axes.lines if one.get_linestyle() != "None"] == ["-", "--", ":"]
    assert [one.get_marker() for one in axes.lines if one.get_linestyle() == "None"] == ["o", "s", "^"]
    assert len({one.get_color() for one in axes.lines}) == 1


@pytest.mark.parametrize(
    ("latencies_s", "scale"), [((1, 2, 10), "linear"), ((1, 2, 20), "log"), ((0, 2, 20), "linear")]
)
def test_times_of_different_orders_have_a_logarithmic_axis(latencies_s: tuple[float, ...], scale: str) -> None:
    assert draw_latency([curve("mine", requests(*latencies_s))], file_axes()).get_xscale() == scale


def test_the_title_tells_the_medians_and_of_many_the_extremes() -> None:
    curves = [curve(f"v{number}", requests(number)) for number in (3, 1, 2, 4)]

    assert title(draw_latency(curves[:3], file_axes())) == "Median latency: v3 3 s, v1 1 s, v2 2 s"
    assert title(draw_latency(curves, file_axes())) == "Median latency: v1 1 s, v4 4 s"


def test_variants_in_which_nothing_completed_have_no_curve() -> None:
    assert latency_curve("mine", [requests(np.nan)]) is None
    assert title(draw_latency([], file_axes())) == "No request completed"
