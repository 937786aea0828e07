"""How even the load is over time, beside how even chance would make it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.measure.analysis.fairness import jain, jain_of_random_split
from sim.measure.analysis.readiness import ReadyTime
from sim.measure.recording.records import MISSING, Integers
from sim.measure.result import RunResult
from sim.report.plots.look.axes import dress, legend_beside
from sim.report.plots.look.palette import FAINT, INK
from sim.report.plots.run.faults import draw_faults, faults_of, lines_of
from sim.report.plots.run.one_model import recorded_requests, who
from sim.report.plots.run.windows import window_length_s

_WINDOWS_IN_RUN = 12
_STEPS_IN_WINDOW = 5


@dataclass(frozen=True, slots=True)
class Fairness:
    """Jain's index of the requests per replica, over windows that slide by a fifth of their length."""

    over_time: pd.DataFrame
    """A row for each window by its middle in seconds: `jain`, and `at_random`, its mean if each request had gone to a
    replica drawn uniformly. Missing where none was routed, or only one replica was there."""
    window_s: float
    faults: pd.DataFrame
    """As `faults_of` returns them."""
    who: str

    @property
    def title(self) -> str:
        """What is seen."""
        means = self.over_time.mean()
        if means.isna().all():
            return f"No window has requests and two replicas ({self.who})"
        return f"Jain's index is {means['jain']:.2f} on average, at random {means['at_random']:.2f} ({self.who})"


def fairness(result: RunResult, window_s: float | None = None, model: str | None = None) -> Fairness:
    """Return how evenly the model's routed requests of each window, by arrival, were spread.

    A replica counts in a window if it was ready at some time of it, or got a request that arrived in it. Raises
    ValueError for a window that is not above 0, and for a model that the run does not have.
    """
    requests = recorded_requests(result, model)
    is_routed = requests.replicas != MISSING
    arrivals_ns, replicas = requests.arrivals_ns[is_routed], requests.replicas[is_routed]
    last_s = float(arrivals_ns[-1]) / 1e9 if arrivals_ns.size else 0.0
    window_s = window_length_s(window_s, last_s, _WINDOWS_IN_RUN)
    starts_s = np.arange(0, max(last_s - window_s, 0) + 1e-9, window_s / _STEPS_IN_WINDOW)
    rows = [_row(arrivals_ns, replicas, requests.ready, start_s, start_s + window_s) for start_s in starts_s.tolist()]
    middles = pd.Index(starts_s + window_s / 2, name="middle_s")
    table = pd.DataFrame(rows, index=middles, columns=["jain", "at_random"], dtype="float64")
    return Fairness(table, window_s, faults_of(result), who(result, model))


def draw_fairness(drawn: Fairness, axes: Axes) -> Axes:
    """Draw the index as a line, and as an area what chance leaves to be gained."""
    table = drawn.over_time
    axes.fill_between(
        table.index, table["at_random"], 1, color=FAINT, alpha=0.35, linewidth=0, label="as at random\nor better"
    )
    axes.plot(table.index, table["jain"], color=INK, linewidth=1.6, marker=".", label="Jain's index")
    draw_faults(drawn.faults, axes)
    middles = f"middle of a sliding window of {drawn.window_s:g} s, s"
    dress(axes, drawn.title, middles, "Jain's index of requests", lines_of(drawn.faults))
    axes.set(ylim=(0, 1.02), xlim=(0, None))
    legend_beside(axes)
    return axes


def _row(
    arrivals_ns: Integers, replicas: Integers, ready: Mapping[int, ReadyTime], start_s: float, end_s: float
) -> tuple[float, float]:
    start_ns, end_ns = round(start_s * 1e9), round(end_s * 1e9)
    first, last = np.searchsorted(arrivals_ns, [start_ns, end_ns])
    codes, counts = np.unique(replicas[first:last], return_counts=True)
    idle = {code for code, time in ready.items() if time.touches(start_ns, end_ns - 1)} - set(codes.tolist())
    there = codes.size + len(idle)
    if not codes.size or there < 2:
        return np.nan, np.nan
    return jain([*counts.tolist(), *(0 for _ in idle)]), jain_of_random_split(int(counts.sum()), there)
