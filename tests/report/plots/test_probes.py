"""The health calls over time, as they are worked out and as they are drawn."""

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from sim import RunResult
from sim.report.plots.look.axes import file_axes
from sim.report.plots.run.probes import draw_probes, probes
from tests.report.plots.by_hand import COLOURS, legend, line, title


def spans(axes: Axes) -> list[list[list[float]]]:
    """The ends of the lines from the start to the end of a call."""
    drawn = [one for one in axes.collections if isinstance(one, LineCollection)]
    return [np.asarray(segment).round(9).tolist() for one in drawn for segment in one.get_segments()]


def carries_the_probes(axes: Axes) -> bool:
    """Whether the marks are those of the run by hand, each at the end of its call."""
    return (
        line(axes, "answered") == ([41], [0.7])
        and line(axes, "timed out") == ([82], [-0.5])
        and line(axes, "answer shared") == ([40], [0.1])
    )


def test_each_call_is_a_line_with_a_mark_for_its_end_in_the_lane_of_its_replica(result: RunResult) -> None:
    axes = draw_probes(probes(result), file_axes(), COLOURS)

    assert carries_the_probes(axes)
    assert spans(axes) == [[[40, 0.7], [41, 0.7]], [[40, 0.1], [40, 0.1]], [[80, -0.5], [82, -0.5]]]
    assert legend(axes) == ["answered", "timed out", "answer shared"]
    assert axes.get_xlim() == (0, 100)


def test_marks_at_the_start_of_calls_are_noticed(result: RunResult) -> None:
    drawn = probes(result)
    at_start = drawn.entries.assign(end_s=drawn.entries["start_s"])

    assert not carries_the_probes(draw_probes(replace(drawn, entries=at_start), file_axes(), COLOURS))


def test_the_title_tells_how_many_got_no_answer_and_whether_the_process_was_alive(result: RunResult) -> None:
    drawn = probes(result)
    entries = drawn.entries

    assert title(draw_probes(drawn, file_axes(), COLOURS)) == (
        "1 of 2 probes got no answer, from live processes; 1 pick shared an answer (mine)"
    )
    own = replace(drawn, entries=entries[entries["kind"] != "answer shared"])
    assert replace(own, false_dead=0).title == "1 of 2 probes got no answer, 0 of them from live processes (mine)"
    assert replace(own, entries=entries[entries["kind"] == "answered"]).title == "1 probe, all answered (mine)"
    assert replace(own, entries=entries.iloc[:0]).title == "No probe was sent (mine)"


def test_a_run_that_took_no_time_is_drawn_without_a_warning(result: RunResult) -> None:
    nothing = replace(probes(result), entries=probes(result).entries.iloc[:0], end_s=0.0)

    assert title(draw_probes(nothing, file_axes(), COLOURS)) == "No probe was sent (mine)"
