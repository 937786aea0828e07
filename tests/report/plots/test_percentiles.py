"""Percentiles of variants side by side, as they are worked out and as they are drawn."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.container import ErrorbarContainer

from sim.measure.judged_run import JudgedRun
from sim.report.plots.look.axes import file_axes
from sim.report.plots.variants.percentiles import draw_percentiles, percentiles
from tests.report.plots.by_hand import legend, title


def run(variant: str, seed: int, p50_s: float, p99_s: float) -> JudgedRun:
    return JudgedRun(variant, seed, "", {"latency.p50_s": p50_s, "latency.p99_s": p99_s}, ())


RUNS = [run("slow", 1, 2, 10), run("quick", 1, 1, 3), run("slow", 2, 4, 20), run("quick", 2, 1, 5)]


def marks(axes: Axes, variant: str) -> list[tuple[float, float, float]]:
    """The mark of each rank, and the ends of its line."""
    (found,) = [one for one in axes.containers if one.get_label() == variant]
    assert isinstance(found, ErrorbarContainer)
    points, _, (bars,) = found
    assert isinstance(bars, LineCollection)
    ends = [np.asarray(segment)[:, 1] for segment in bars.get_segments()]
    return [(float(y), float(low), float(high)) for y, (low, high) in zip(points.get_ydata(), ends, strict=True)]


def carries_the_means(axes: Axes) -> bool:
    return marks(axes, "slow") == [(3, 2, 4), (15, 10, 20)] and marks(axes, "quick") == [(1, 1, 1), (4, 3, 5)]


def test_a_mark_is_the_mean_of_the_percentiles_of_the_seeds_and_its_line_their_range() -> None:
    axes = draw_percentiles(percentiles(RUNS), file_axes())

    assert carries_the_means(axes)
    assert legend(axes) == ["slow", "quick"]


def test_marks_of_the_last_seed_alone_are_noticed() -> None:
    assert not carries_the_means(draw_percentiles(percentiles(RUNS[2:]), file_axes()))


def test_ranks_that_do_not_apply_have_no_mark() -> None:
    assert percentiles(RUNS)["rank"].unique().tolist() == ["p50", "p99"]
    assert percentiles(RUNS, "ttft").empty


def test_a_family_without_percentiles_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ValueError, match=r"'latncy' has no percentiles; allowed: .*; did you mean 'latency'\?"):
        percentiles(RUNS, "latncy")


def test_the_title_tells_the_shortest_and_the_longest_tail() -> None:
    assert title(draw_percentiles(percentiles(RUNS), file_axes())) == "p99 of latency: quick 4 s, slow 15 s"
    assert title(draw_percentiles(percentiles(RUNS[::2]), file_axes())) == "p99 of latency: slow 15 s"
    nothing = draw_percentiles(percentiles(RUNS, "ttft"), file_axes(), "ttft")
    assert title(nothing) == "No request has a figure of ttft"


@pytest.mark.parametrize(("high_s", "scale"), [(10, "linear"), (40, "log")])
def test_times_of_different_orders_have_a_logarithmic_axis(high_s: float, scale: str) -> None:
    assert draw_percentiles(percentiles([run("mine", 1, 1, high_s)]), file_axes()).get_yscale() == scale
