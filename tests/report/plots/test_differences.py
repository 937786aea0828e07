"""Differences between variants, in a list and as a matrix, as they are worked out and as they are drawn."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_rgba, to_rgba_array

from sim.measure.differences import Demand, Difference, Side, difference_of
from sim.report.plots.look.axes import file_axes
from sim.report.plots.look.palette import INK
from sim.report.plots.variants.differences import differences, draw_differences
from sim.report.plots.variants.matrix import draw_matrix, matrix
from tests.report.plots.by_hand import legend, title

DEMAND = Demand(confidence=0.95, margin=0.01)


def row(metric: str, variant: str, a: tuple[float, ...], b: tuple[float, ...]) -> Difference:
    return difference_of(metric, Side("base", a), Side(variant, b), DEMAND)


LESS = row("latency.p99_s", "quick", (10, 10), (5, 5))
UNCLEAR = row("latency.p99_s", "lucky", (10, 10), (5, 15))
MORE = row("fairness.jain", "quick", (0.5, 0.5), (0.75, 0.75))
FROM_NOTHING = row("requests.failed", "quick", (0, 0), (1, 3))
NOTHING = row("requests.rejected", "quick", (0, 0), (0, 0))
ROWS = [LESS, UNCLEAR, MORE, FROM_NOTHING, NOTHING]


def marks(axes: Axes, variant: str) -> list[tuple[float, int, bool]]:
    """Of each mark of the variant: percent, the line of the metric, and whether it is filled."""
    (found,) = [one for one in axes.collections if one.get_label() == variant]
    assert isinstance(found, PathCollection)
    places = np.asarray(found.get_offsets()).tolist()
    fills = [np.allclose(colour, to_rgba(INK)) for colour in to_rgba_array(found.get_facecolor())]
    return [(x, round(y), fill) for (x, y), fill in zip(places, fills, strict=True)]


def carries_the_rows(axes: Axes) -> bool:
    return marks(axes, "quick") == [(-50, 0, True), (50, 1, True)] and marks(axes, "lucky") == [(0, 0, False)]


def test_a_mark_is_the_mean_difference_in_percent_of_the_base_and_filled_if_it_is_clear() -> None:
    axes = draw_differences(differences("base", ROWS, margin=0.01), file_axes())

    assert carries_the_rows(axes)
    assert legend(axes) == ["quick", "lucky"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["latency.p99_s ◂", "fairness.jain ▸"]


def test_marks_of_the_wrong_sign_are_noticed() -> None:
    drawn = differences("base", ROWS, margin=0.01)
    reversed_ = replace(drawn, rows=drawn.rows.assign(mean=-drawn.rows["mean"]))

    assert not carries_the_rows(draw_differences(reversed_, file_axes()))


def test_what_has_no_percentage_is_named_and_what_is_0_on_both_sides_is_not() -> None:
    drawn = differences("base", ROWS, margin=0.01)

    assert drawn.from_zero == ("requests.failed",)
    assert draw_differences(drawn, file_axes()).get_xlabel().endswith("\n0 at base: requests.failed")


def test_intervals_are_drawn_from_end_to_end() -> None:
    drawn = differences("base", [UNCLEAR], margin=0.01)

    assert UNCLEAR.interval is not None
    assert drawn.rows[["low", "high"]].to_numpy().tolist() == [
        [10 * UNCLEAR.interval.low, 10 * UNCLEAR.interval.high],
    ]


def test_the_title_counts_the_verdicts() -> None:
    drawn = differences("base", ROWS, margin=0.01)

    assert title(draw_differences(drawn, file_axes())) == "quick, lucky against base: 2 better, 1 same, 2 unclear"
    assert differences("base", [], 0.01).title == "Nothing against base: nothing to compare"


@pytest.mark.parametrize(("b", "scale"), [(10.4, "linear"), (100, "symlog")])
def test_large_and_small_differences_can_both_be_read(b: float, scale: str) -> None:
    drawn = differences("base", [row("latency.p99_s", "quick", (10, 10), (b, b))], margin=0.01)

    assert draw_differences(drawn, file_axes()).get_xscale() == scale


def colours(axes: Axes) -> list[list[float]]:
    """The figures behind the colours: above 0 is better."""
    (mesh,) = [one for one in axes.collections if isinstance(one, QuadMesh)]
    figures: list[list[float]] = np.ma.getdata(np.ma.asarray(mesh.get_array())).tolist()
    return figures


def is_the_matrix(axes: Axes) -> bool:
    """Whether less is better, more is worse, and what is unclear has no colour, though its figure is written."""
    written = [text.get_text() for text in axes.texts]
    return colours(axes) == [[50, -100], [0, 0]] and written == ["-50 %", "+100 %", "+0 %", ""]


LOADS = {"even": [LESS, UNCLEAR, MORE], "bursts": [row("latency.p99_s", "quick", (10, 10), (20, 20))]}


def test_a_cell_has_the_difference_of_a_policy_on_a_load() -> None:
    axes = draw_matrix(matrix(LOADS, "latency.p99_s"), file_axes())

    assert is_the_matrix(axes)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["quick", "lucky"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["even", "bursts"]
    assert title(axes) == "latency.p99_s against base: 1 better, 1 worse, 1 unclear"


def test_a_matrix_that_takes_more_for_better_is_noticed() -> None:
    drawn = matrix(LOADS, "latency.p99_s")

    assert not is_the_matrix(draw_matrix(replace(drawn, metric="fairness.jain"), file_axes()))


@pytest.mark.parametrize(
    ("rows", "metric", "message"),
    [
        ([LESS], "latency.p98_s", r"no row is about 'latency.p98_s'; allowed: .*; did you mean 'latency.p99_s'\?"),
        ([row("requests.offered", "quick", (1, 1), (2, 2))], "requests.offered", "neither more nor less is better"),
        ([LESS, replace(UNCLEAR, base="other")], "latency.p99_s", "found several bases of latency.p99_s: base, other"),
    ],
)
def test_a_matrix_needs_one_base_and_a_metric_with_rows_and_a_direction(
    rows: list[Difference], metric: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        matrix({"even": rows}, metric)
