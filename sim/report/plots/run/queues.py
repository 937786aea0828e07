"""How many requests wait at each replica over time, as a map: a row a replica, a column a stretch of time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.measure.recording.records import Floats
from sim.measure.result import RunResult
from sim.report.plots.look.axes import dress, name_lanes
from sim.report.plots.look.palette import INK
from sim.report.plots.run.faults import draw_faults, faults_of, lines_of
from sim.report.plots.run.one_model import replicas_of, requests_of, who
from sim.report.plots.run.windows import window_length_s

_MOST_WINDOWS = 120
COLOUR_MAP = "YlGnBu"
"""From light to dark, so that it can be printed, and safe for readers with any kind of colour vision (C. Brewer,
colorbrewer2.org)."""
_DARK = "#3a3a3c"
"""For lines on the map, which is light on dark pages too."""


@dataclass(frozen=True, slots=True)
class Queues:
    """The requests that have a route to a replica and are not yet served there."""

    waiting: pd.DataFrame
    """A row for each replica, a column for each window by its start in seconds: their number, averaged over time."""
    window_s: float
    faults: pd.DataFrame
    """As `faults_of` returns them."""
    who: str

    @property
    def title(self) -> str:
        """What is seen."""
        longest = self.waiting.max(axis=1)
        if self.waiting.empty or longest.max() < 0.05:
            return f"No request waits at a replica ({self.who})"
        return f"Up to {longest.max():.3g} requests wait at {longest.idxmax()} ({self.who})"


def queues(result: RunResult, window_s: float | None = None, model: str | None = None) -> Queues:
    """Return the queues of the model's replicas, in windows of 120 or fewer unless given.

    A request that ends unserved waits to its end, and one that never ends to the end of the run. Raises ValueError for
    a window that is not above 0, and for a model that the run does not have.
    """
    end_s = result.totals.end_ns / 1e9
    window_s = window_length_s(window_s, end_s, _MOST_WINDOWS)
    edges = window_s * np.arange(int(np.ceil(end_s / window_s)) + 1, dtype=np.float64)
    requests, replicas = requests_of(result, model), replicas_of(result, model)
    rows = [_mean_waiting(requests[requests["replica"] == replica], edges, end_s) for replica in replicas]
    columns = pd.Index(edges[:-1], name="window_start_s")
    waiting = pd.DataFrame(rows, index=pd.Index(replicas, name="replica"), columns=columns)
    return Queues(waiting, window_s, faults_of(result), who(result, model))


def draw_queues(drawn: Queues, axes: Axes) -> Axes:
    """Draw the map, with a scale beside it."""
    replicas = len(drawn.waiting)
    dress(axes, drawn.title, f"time, s (windows of {drawn.window_s:g} s)", "", lines_of(drawn.faults))
    if not drawn.waiting.empty:
        starts_s = drawn.waiting.columns.to_numpy(dtype=np.float64)
        edges = np.append(starts_s, starts_s[-1] + drawn.window_s)
        most = max(1.0, float(drawn.waiting.to_numpy().max()))
        rows = np.arange(replicas + 1) - 0.5
        # With edges of their own colour, or the page shows through between the cells.
        look: dict[str, Any] = {"cmap": COLOUR_MAP, "vmin": 0, "vmax": most, "edgecolors": "face", "linewidth": 1}
        cells = axes.pcolormesh(edges, rows, drawn.waiting.to_numpy(), **look)
        scale = axes.figure.colorbar(cells, ax=axes, pad=0.02)
        scale.set_label("requests waiting, mean", color=INK, fontsize=9)
        scale.ax.tick_params(colors=INK, labelsize=9)
    draw_faults(drawn.faults, axes, _DARK)
    name_lanes(axes, range(replicas), list(drawn.waiting.index))
    axes.set_ylim(max(replicas, 1) - 0.5, -0.5)
    return axes


def _mean_waiting(requests: pd.DataFrame, edges: Floats, end_s: float) -> Floats:
    """Return for each window between two edges how many of the requests wait, averaged over the window."""
    served_s = requests["start_s"].fillna(requests["end_s"]).fillna(end_s).to_numpy()
    waited_s = _passed_s(requests["routed_s"].to_numpy(), edges) - _passed_s(served_s, edges)
    return np.asarray(np.diff(waited_s) / np.diff(edges), dtype=np.float64).round(9)


def _passed_s(times_s: Floats, edges: Floats) -> Floats:
    """Return for each edge the time that has passed since each of the times that lie before it, in all."""
    ordered = np.sort(times_s)
    sums = np.concatenate(([0.0], np.cumsum(ordered)))
    before = np.searchsorted(ordered, edges)
    return np.asarray(before * edges - sums[before], dtype=np.float64)
