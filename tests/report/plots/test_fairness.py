"""How even the load is over sliding windows, as it is worked out and as it is drawn."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes

from sim import RunResult
from sim.report.plots.look.axes import file_axes
from sim.report.plots.run.fairness import draw_fairness, fairness
from tests.report.plots.by_hand import legend, line, title

# Windows of 40 s that slide by 8 s. At 0 s only one replica is there until 30 s, then both; the burst of three and one
# at 40 s is in each window that begins from 8 s on.
MIDDLES_S = [20, 28, 36, 44, 52, 60]
JAIN = [0.5, 0.8, 0.8, 0.8, 0.8, 0.8]


def carries_the_index(axes: Axes) -> bool:
    x, y = line(axes, "Jain's index")
    return np.allclose(x, MIDDLES_S) and np.allclose(y, JAIN)


def test_the_line_is_jains_index_over_the_replicas_that_were_there_in_the_window(result: RunResult) -> None:
    axes = draw_fairness(fairness(result, window_s=40), file_axes())

    assert carries_the_index(axes)
    assert legend(axes) == ["as at random\nor better", "Jain's index"]


def test_an_index_that_forgets_idle_replicas_is_noticed(result: RunResult) -> None:
    drawn = fairness(result, window_s=40)
    forgetful = drawn.over_time.assign(jain=drawn.over_time["jain"].replace(0.5, 1.0))

    assert not carries_the_index(draw_fairness(replace(drawn, over_time=forgetful), file_axes()))


def test_the_floor_is_what_chance_gives_for_as_many_requests(result: RunResult) -> None:
    floors = fairness(result, window_s=40).over_time["at_random"]

    # Of two requests: even or all on one, each with 1/2. Of four: 6, 8 and 2 of the 16 ways are 2:2, 3:1 and 4:0.
    assert floors.tolist() == pytest.approx([0.75, *[(6 * 1 + 8 * 0.8 + 2 * 0.5) / 16] * 5])


def test_a_window_in_which_there_is_no_choice_has_no_index(result: RunResult) -> None:
    early = fairness(result, window_s=10).over_time

    assert early.loc[5].isna().all(), "only one replica is there"
    assert early.loc[65].isna().all(), "no request arrives"
    assert early.loc[45, "jain"] == pytest.approx(0.8)


def test_the_title_tells_the_means(result: RunResult) -> None:
    drawn = fairness(result, window_s=40)

    assert title(draw_fairness(drawn, file_axes())) == "Jain's index is 0.75 on average, at random 0.82 (mine)"
    assert replace(drawn, over_time=drawn.over_time * np.nan).title == (
        "No window has requests and two replicas (mine)"
    )


def test_a_window_without_length_is_refused(result: RunResult) -> None:
    with pytest.raises(ValueError, match="a window lasts more than 0 s, not 0"):
        fairness(result, window_s=0)
