"""A run of 100 s that is told by hand, so that what its plots show is known on paper; and what axes carry."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from sim import RunResult
from sim.measure.facts import RunFacts, Totals
from sim.measure.recording.recorder import Recorder
from sim.measure.summary import summarise
from sim.routing.outcomes import Answer, AnswerSource, Outcome, ProbeOutcome
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from tests.hand_clock import HandClock
from tests.recorders import recorder_by

S = 1_000_000_000
A, B = ReplicaKey("a", "m", 0), ReplicaKey("b", "m", 0)
COLOURS = {"a#0": "#0072B2", "b#0": "#E69F00"}


class Served(NamedTuple):
    """A request, in seconds of the run."""

    arrival_s: int
    replica: ReplicaKey
    start_s: int
    end_s: int


# Two at once on the only replica; four at once on two, of which the first gets three; one for the second.
SERVED = (
    Served(0, A, 0, 10),
    Served(0, A, 10, 20),
    Served(40, A, 40, 50),
    Served(40, A, 50, 60),
    Served(40, A, 60, 70),
    Served(40, B, 40, 50),
    Served(80, B, 80, 90),
)


def told() -> RunResult:
    """The run: `b` comes at 30 s, a fault strikes at 75 s, and `b` loses its row at 82 s, though it is alive."""
    clock = HandClock()
    recorder = recorder_by(clock)
    for t_ns, tell in sorted(_story(recorder), key=lambda entry: entry[0]):
        clock.t_ns = t_ns
        tell()
    records, totals, facts = recorder.records, Totals(0, 0, 0, 0, end_ns=100 * S), RunFacts(models=("m",))
    metrics = summarise(records, totals, facts)
    return RunResult("by_hand", "mine", 1, records.digest(), metrics, records, totals, facts, plan="")


def _story(recorder: Recorder) -> list[tuple[int, Callable[[], None]]]:
    story: list[tuple[int, Callable[[], None]]] = [
        (0, lambda: recorder.row_published(A, "scenario")),
        (30 * S, lambda: recorder.row_published(B, "scenario")),
        (41 * S, lambda: recorder.probed(None, A, "a", 40 * S, ProbeOutcome.OK)),
        (75 * S, lambda: recorder.fault_struck("node_crash", "b")),
        (82 * S, lambda: recorder.probed(None, B, "b", 80 * S, ProbeOutcome.TIMEOUT)),
        (82 * S, lambda: recorder.row_removed(B, "b", "probe", None)),
        (83 * S, lambda: recorder.load_started(B, False)),
    ]
    for number, one in enumerate(SERVED):
        story += _served(recorder, Request(number, "m", 0, 0, one.arrival_s * S), one)
    lost = Request(len(SERVED), "m", 0, 0, 80 * S)
    return [
        *story,
        (80 * S, lambda: recorder.arrived(lost)),
        (81 * S, lambda: recorder.ended(lost, Outcome.FAILED, "")),
    ]


def _served(recorder: Recorder, request: Request, one: Served) -> list[tuple[int, Callable[[], None]]]:
    row = Replica(one.replica.node, one.replica, one.replica.node, 0, 0, 0)
    shared = Answer(True, AnswerSource.SHARED) if request.id == 3 else Answer(True, AnswerSource.FRESH)
    return [
        (one.arrival_s * S, lambda: recorder.arrived(request)),
        (one.arrival_s * S, lambda: recorder.picked(request, row, shared)),
        (one.arrival_s * S, lambda: recorder.routed(request, one.replica)),
        (one.start_s * S, lambda: recorder.served_from(request)),
        (one.end_s * S, lambda: recorder.ended(request, Outcome.COMPLETED, "")),
    ]


def legend(axes: Axes) -> list[str]:
    """The texts of the legend."""
    shown = axes.get_legend()
    return [] if shown is None else [text.get_text() for text in shown.get_texts()]


def line(axes: Axes, label: str) -> tuple[list[float], list[float]]:
    """The x and y data of the line with that label."""
    (found,) = [one for one in axes.lines if one.get_label() == label]
    x, y = np.asarray(found.get_xydata(), dtype=float).T
    return x.tolist(), y.round(9).tolist()


def bars(axes: Axes, label: str) -> list[tuple[float, float, float]]:
    """The left edge, bottom and top of each bar of the container with that label."""
    (found,) = [one for one in axes.containers if one.get_label() == label]
    rectangles = [one for one in found if isinstance(one, Rectangle)]
    return [(one.get_x(), round(one.get_y(), 9), round(one.get_y() + one.get_height(), 9)) for one in rectangles]


def title(axes: Axes) -> str:
    """The title on one line."""
    return axes.get_title(loc="left").replace("\n", " ")
