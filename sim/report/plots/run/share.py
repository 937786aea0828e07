"""Where the requests went: the share of each replica over time, stacked."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from sim.measure.analysis.shares import share_over_time
from sim.measure.result import RunResult
from sim.report.plots.look.axes import dress, legend_beside
from sim.report.plots.look.palette import natural
from sim.report.plots.look.words import percent, seconds
from sim.report.plots.run.faults import draw_faults, faults_of, lines_of
from sim.report.plots.run.one_model import replicas_of, requests_of, who
from sim.report.plots.run.windows import window_length_s

_MOST_WINDOWS = 60
_MOST_OF_EVEN = 1.5
"""A share of more than this many times the even one is what the title tells."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The share of each replica in its model's routed requests."""

    over_time: pd.DataFrame
    """A row for each window by its start in seconds, a column for each replica; missing where none was routed."""
    in_all: Mapping[str, float]
    """By replica, over the whole run; empty if no request was routed."""
    window_s: float
    ready_s: Mapping[str, float]
    """When replicas that came after the start could first be picked."""
    faults: pd.DataFrame
    """As `faults_of` returns them."""
    who: str
    """Whose shares they are."""

    @property
    def title(self) -> str:
        """What is seen."""
        if not self.in_all:
            return f"No request got a route ({self.who})"
        busiest = max(self.in_all, key=lambda replica: self.in_all[replica])
        share = self.in_all[busiest]
        if len(self.in_all) == 1 or share > _MOST_OF_EVEN / len(self.in_all):
            return f"{busiest} serves {percent(share)} of the requests ({self.who})"
        ends = dict.fromkeys((percent(min(self.in_all.values())), percent(share)))
        return f"{len(self.in_all)} replicas serve {' to '.join(ends)} of the requests each ({self.who})"


def shares(result: RunResult, window_s: float | None = None, model: str | None = None) -> Shares:
    """Return the shares of the model's replicas by the time of arrival, in windows of 60 or fewer unless given.

    Raises ValueError for a window that is not above 0, and for a model that the run does not have.
    """
    requests, replicas = requests_of(result, model), replicas_of(result, model)
    last_s = float(requests["arrival_s"].max()) if len(requests) else 0.0
    window_s = window_length_s(window_s, last_s, _MOST_WINDOWS)
    counts = requests["replica"].value_counts()
    routed = int(counts.sum())
    return Shares(
        share_over_time(requests, window_s).reindex(columns=replicas, fill_value=0.0),
        {replica: int(counts.get(replica, 0)) / routed for replica in replicas} if routed else {},
        window_s,
        _late(result.events, replicas),
        faults_of(result),
        who(result, model),
    )


def draw_shares(drawn: Shares, axes: Axes, colours: Mapping[str, str]) -> Axes:
    """Draw a bar for each window, in which the shares lie on each other, and what came later: replicas and faults."""
    below = np.zeros(len(drawn.over_time))
    for replica, column in drawn.over_time.items():
        label = str(replica)
        heights = column.fillna(0).to_numpy()
        axes.bar(
            drawn.over_time.index,
            heights,
            width=0.92 * drawn.window_s,
            bottom=below,
            align="edge",
            color=colours[label],
            label=label,
        )
        below = below + heights
    for replica, ready_s in drawn.ready_s.items():
        told = f"{replica} is ready,\nat {seconds(ready_s)}"
        axes.plot(ready_s, 1.03, "v", color=colours[replica], markersize=9, clip_on=False, label=told)
    draw_faults(drawn.faults, axes)
    arrivals = f"arrival, s (windows of {drawn.window_s:g} s)"
    dress(axes, drawn.title, arrivals, "share of the requests", lines_of(drawn.faults))
    axes.margins(x=0)
    axes.set(ylim=(0, 1), xlim=(0, None))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    legend_beside(axes)
    return axes


def _late(events: pd.DataFrame, replicas: list[str]) -> dict[str, float]:
    published = events[(events["kind"] == "row_published") & events["replica"].isin(replicas)]
    first_s = published.groupby("replica", observed=True)["t_s"].min()
    late = {str(replica): float(t_s) for replica, t_s in first_s.items() if t_s > 0}
    return dict(sorted(late.items(), key=lambda item: natural(item[0])))
