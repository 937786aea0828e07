"""How bursts were spread over replicas, as it is worked out and as it is drawn."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from sim import RunResult
from sim.report.plots.look.axes import file_axes
from sim.report.plots.run.bursts import MOST_BURSTS, draw_fan_out, fan_out
from tests.report.plots.by_hand import COLOURS, bars, legend, title


def even_lines(axes: Axes) -> list[float]:
    """The heights of the lines that mark an even split."""
    (lines,) = [one for one in axes.collections if isinstance(one, LineCollection)]
    return [float(np.asarray(segment)[0, 1]) for segment in lines.get_segments()]


def carries_the_fan_out(axes: Axes) -> bool:
    """Whether the bars are those of the run by hand: two on the only replica there, then three and one."""
    tops = {label: [top for _, bottom, top in bars(axes, label) if bottom == 0] for label in COLOURS}
    return tops == {"a#0": [2, 3], "b#0": [0, 1]} and even_lines(axes) == [2, 2]


def test_each_replica_has_a_bar_for_each_burst_beside_an_even_split_over_those_that_were_ready(
    result: RunResult,
) -> None:
    axes = draw_fan_out(fan_out(result), file_axes(), COLOURS)

    assert carries_the_fan_out(axes)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "40"]
    assert sorted(legend(axes)) == ["a#0", "b#0", "even split"]


def test_a_split_over_replicas_that_were_not_there_is_noticed(result: RunResult) -> None:
    drawn = fan_out(result)
    over_both = replace(drawn, even=drawn.counts.sum(axis=1) / 2)

    assert not carries_the_fan_out(draw_fan_out(over_both, file_axes(), COLOURS))


def test_the_title_tells_of_the_most_uneven_burst(result: RunResult) -> None:
    drawn = fan_out(result)

    assert (
        title(draw_fan_out(drawn, file_axes(), COLOURS)) == "a#0 gets 3 of 4 requests at 40 s; 2 would be even (mine)"
    )
    assert replace(drawn, counts=drawn.counts.iloc[:1], even=drawn.even.iloc[:1]).title == (
        "Every burst is split evenly (mine)"
    )
    assert replace(drawn, counts=drawn.counts.iloc[:0]).title == "No requests arrived together (mine)"


def test_bars_of_bursts_that_were_left_out_are_told_of(result: RunResult) -> None:
    drawn = replace(fan_out(result), bursts=MOST_BURSTS + 1)

    assert draw_fan_out(drawn, file_axes(), COLOURS).get_xlabel() == "bursts by arrival, s (the 2 most uneven of 17)"


def test_a_run_without_bursts_has_a_plot_without_bars(result: RunResult) -> None:
    nothing = replace(fan_out(result), counts=pd.DataFrame(), even=pd.Series(dtype=float), bursts=0)

    axes = draw_fan_out(nothing, file_axes(), {})
    assert (axes.containers, legend(axes)) == ([], [])
