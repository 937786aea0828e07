"""The load of each replica as steps, and what happened to it, as they are worked out and as they are drawn."""

from dataclasses import replace

from matplotlib.axes import Axes

from sim import RunResult
from sim.report.plots.look.axes import file_axes
from sim.report.plots.run.in_flight import Load, Steps, draw_load, load
from tests.report.plots.by_hand import COLOURS, legend, line, title


def carries_the_steps(axes: Axes) -> bool:
    """Whether the lanes are those of the run by hand: 0.6 high for 3 requests, the second one lower by 1."""
    return line(axes, "_a#0") == (
        [0, 0, 10, 20, 40, 50, 60, 70, 100],
        [0, 0.4, 0.2, 0, 0.6, 0.4, 0.2, 0, 0],
    ) and line(axes, "_b#0") == ([0, 40, 50, 80, 90, 100], [-1, -0.8, -1, -0.8, -1, -1])


def test_steps_follow_the_requests_in_flight_to_the_end_of_the_run(result: RunResult) -> None:
    assert carries_the_steps(draw_load(load(result), file_axes(), COLOURS))


def test_steps_of_another_load_are_noticed(result: RunResult) -> None:
    drawn = load(result)
    t_s, in_flight = drawn.steps["a#0"]
    late = replace(drawn, steps={**drawn.steps, "a#0": Steps(t_s + 1, in_flight)})

    assert not carries_the_steps(draw_load(late, file_axes(), COLOURS))


def test_what_happens_to_a_replica_is_marked_below_its_lane(result: RunResult) -> None:
    axes = draw_load(load(result), file_axes(), COLOURS)

    assert line(axes, "probe answered") == ([41], [-0.1])
    assert line(axes, "probe without answer") == ([82], [-1.1])
    assert line(axes, "row deleted") == ([82], [-1.2])
    assert line(axes, "load started") == ([83], [-1.3])
    assert line(axes, "row published") == ([30], [-1.3])
    assert legend(axes) == ["probe answered", "probe without answer", "row deleted", "load started", "row published"]


def test_lanes_are_named_with_the_most_that_each_replica_had(result: RunResult) -> None:
    axes = draw_load(load(result), file_axes(), COLOURS)

    assert [label.get_text() for label in axes.get_yticklabels()] == ["a#0\nup to 3", "b#0\nup to 1"]


def test_the_title_tells_of_rows_that_were_deleted_though_their_process_was_alive(result: RunResult) -> None:
    drawn = load(result)

    told_of = "a#0 has up to 3 requests at once; 1 row of live processes deleted (mine)"
    assert title(draw_load(drawn, file_axes(), COLOURS)) == told_of
    assert replace(drawn, removed_alive=0).title == "a#0 has up to 3 requests at once (mine)"


def test_a_run_without_replicas_has_a_plot_that_says_so(result: RunResult) -> None:
    drawn = load(result)
    nothing = Load({}, drawn.marks.iloc[:0], drawn.faults, 0, 100.0, "mine")

    axes = draw_load(nothing, file_axes(), {})
    assert title(axes) == "No replica was there (mine)"
    assert legend(axes) == []
