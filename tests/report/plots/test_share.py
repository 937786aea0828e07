"""The share of each replica over time, as it is worked out and as it is drawn."""

from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from sim import RunResult
from sim.report.plots.look.axes import file_axes
from sim.report.plots.run.share import draw_shares, shares
from tests.report.plots.by_hand import COLOURS, bars, legend, line, title


def stacked(axes: Axes) -> bool:
    """Whether the bars are those of the run by hand, in windows of 20 s: each begins where the one below ends."""
    return bars(axes, "a#0") == [(0, 0, 1), (20, 0, 0), (40, 0, 0.75), (60, 0, 0), (80, 0, 0)] and bars(
        axes, "b#0"
    ) == [(0, 1, 1), (20, 0, 0), (40, 0.75, 1), (60, 0, 0), (80, 0, 1)]


def test_bars_are_the_shares_of_each_window_and_lie_on_each_other(result: RunResult) -> None:
    drawn = shares(result, window_s=20)

    assert stacked(draw_shares(drawn, file_axes(), COLOURS))
    assert drawn.in_all == {"a#0": 5 / 7, "b#0": 2 / 7}
    assert drawn.over_time.isna().all(axis=1).tolist() == [False, True, False, True, False]


def test_bars_in_which_two_replicas_are_mixed_up_are_noticed(result: RunResult) -> None:
    drawn = shares(result, window_s=20)
    mixed_up = replace(drawn, over_time=drawn.over_time.rename(columns={"a#0": "b#0", "b#0": "a#0"}))

    assert not stacked(draw_shares(mixed_up, file_axes(), COLOURS))


def test_a_replica_that_comes_later_has_a_mark_at_that_time(result: RunResult) -> None:
    axes = draw_shares(shares(result), file_axes(), COLOURS)

    assert line(axes, "b#0 is ready,\nat 30 s")[0] == [30]
    assert legend(axes) == ["b#0 is ready,\nat 30 s", "a#0", "b#0"]


def test_a_fault_has_a_line_and_its_name(result: RunResult) -> None:
    axes = draw_shares(shares(result), file_axes(), COLOURS)

    assert [text.get_text() for text in axes.texts] == ["node_crash"]
    (fault,) = [one for one in axes.lines if str(one.get_label()).startswith("_")]
    assert np.asarray(fault.get_xdata()).tolist() == [75, 75]


def test_the_title_stands_above_the_names_of_all_kinds_of_faults(result: RunResult) -> None:
    kinds = pd.DataFrame({"t_s": [0.0, 5.0, 10.0], "cause": ["node_crash", "transaction_abort", "lock_held"]})

    axes = draw_shares(replace(shares(result), faults=kinds), file_axes(), COLOURS)

    cast(Figure, axes.figure).draw_without_rendering()  # which puts the title where it belongs
    (written,) = [text for text in axes.findobj(Text) if text.get_text() == axes.get_title(loc="left")]
    assert written.get_window_extent().y0 >= max(name.get_window_extent().y1 for name in axes.texts)


@pytest.mark.parametrize(
    ("in_all", "told_of"),
    [
        ({"a#0": 5 / 7, "b#0": 2 / 7}, "2 replicas serve 29 % to 71 % of the requests each (mine)"),
        ({"a#0": 0.5, "b#0": 0.5}, "2 replicas serve 50 % of the requests each (mine)"),
        ({"a#0": 0.8, "b#0": 0.2}, "a#0 serves 80 % of the requests (mine)"),
        ({"a#0": 0.9999, "b#0": 0.0001}, "a#0 serves over 99 % of the requests (mine)"),
        ({"a#0": 1.0, "b#0": 0.0}, "a#0 serves 100 % of the requests (mine)"),
        ({}, "No request got a route (mine)"),
    ],
)
def test_the_title_says_what_is_seen(result: RunResult, in_all: dict[str, float], told_of: str) -> None:
    axes = draw_shares(replace(shares(result), in_all=in_all), file_axes(), COLOURS)

    assert title(axes) == told_of


def test_windows_are_round_and_not_too_many_unless_one_is_given(result: RunResult) -> None:
    assert shares(result).window_s == 2
    with pytest.raises(ValueError, match="a window lasts more than 0 s, not 0"):
        shares(result, window_s=0)


def test_a_model_that_the_run_does_not_have_is_refused_with_those_it_has(result: RunResult) -> None:
    with pytest.raises(ValueError, match="'n' is not a model; allowed: m"):
        shares(result, model="n")
