"""How many requests wait at each replica over time, as it is worked out and as it is drawn."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh

from sim import RunResult
from sim.report.plots.look.axes import file_axes
from sim.report.plots.run.queues import draw_queues, queues
from tests.report.plots.by_hand import title


def cells(axes: Axes) -> list[list[float]]:
    """The figures behind the colours, replica by replica."""
    (mesh,) = [one for one in axes.collections if isinstance(one, QuadMesh)]
    figures: list[list[float]] = np.asarray(mesh.get_array()).tolist()
    return figures


# On the first replica one waits from 0 to 10 s, two from 40 to 50 s, and one from 50 to 60 s.
BY_HAND = [[0.5, 0, 1.5, 0, 0], [0, 0, 0, 0, 0]]


def test_a_cell_is_the_mean_number_of_requests_that_wait_in_its_window(result: RunResult) -> None:
    axes = draw_queues(queues(result, window_s=20), file_axes())

    assert cells(axes) == BY_HAND
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a#0", "b#0"]
    top, bottom = axes.get_ylim()
    assert top > bottom, "the first replica is at the top"


def test_cells_of_another_queue_are_noticed(result: RunResult) -> None:
    drawn = queues(result, window_s=20)
    upside_down = replace(drawn, waiting=drawn.waiting[::-1])

    assert cells(draw_queues(upside_down, file_axes())) != BY_HAND


def test_windows_that_do_not_divide_the_run_go_beyond_its_end(result: RunResult) -> None:
    drawn = queues(result, window_s=30)

    assert drawn.waiting.iloc[0].tolist() == pytest.approx([10 / 30, 1, 0, 0])


def test_the_title_tells_of_the_longest_queue_if_there_is_one(result: RunResult) -> None:
    drawn = queues(result, window_s=20)

    assert title(draw_queues(drawn, file_axes())) == "Up to 1.5 requests wait at a#0 (mine)"
    assert replace(drawn, waiting=0 * drawn.waiting).title == "No request waits at a replica (mine)"


def test_a_window_without_length_is_refused(result: RunResult) -> None:
    with pytest.raises(ValueError, match="a window lasts more than 0 s, not -1"):
        queues(result, window_s=-1)
