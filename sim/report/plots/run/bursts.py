"""Where the requests went that arrived together: each burst's fan-out beside an even split."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from sim.measure.analysis.bursts import bursts
from sim.measure.result import RunResult
from sim.report.plots.look.axes import dress, legend_beside
from sim.report.plots.look.palette import INK
from sim.report.plots.run.one_model import recorded_requests, replicas_of, who

MOST_BURSTS = 16
"""Bars of more could not be told apart."""
_ROOM = 0.84
"""Part of a burst's place that its bars take."""


@dataclass(frozen=True, slots=True)
class FanOut:
    """How bursts were spread over replicas."""

    counts: pd.DataFrame
    """A row for each burst by its arrival in seconds, a column for each replica: how many requests it got."""
    even: pd.Series
    """Of each burst, how many an even split gives to each replica; same index."""
    bursts: int
    """How many there were in the run; of more than `MOST_BURSTS` the rows are the most uneven."""
    who: str

    @property
    def title(self) -> str:
        """What is seen."""
        if self.counts.empty:
            return f"No requests arrived together ({self.who})"
        worst = int((self.counts.max(axis=1) / self.even).to_numpy().argmax())
        burst, even = self.counts.iloc[worst], self.even.iloc[worst]
        if burst.max() == even:
            return f"Every burst is split evenly ({self.who})"
        told = f"{burst.idxmax()} gets {burst.max()} of {burst.sum()} requests at {self.counts.index[worst]:g} s"
        return f"{told}; {even:.3g} would be even ({self.who})"


def fan_out(result: RunResult, model: str | None = None) -> FanOut:
    """Return how the bursts of the model were spread, in order of time. Raises ValueError for a model it does not have.

    What a burst is and which replicas could share it is that of the metric `burst.max_over_ideal`; the warm-up counts.
    """
    found = bursts(*recorded_requests(result, model))
    kept = sorted(found, key=lambda one: one.max_over_ideal, reverse=True)[:MOST_BURSTS]
    kept.sort(key=lambda one: one.arrival_ns)
    labels = [result.facts.label(key) for key in result.records.replicas]
    index = pd.Index([one.arrival_ns / 1e9 for one in kept], name="arrival_s", dtype="float64")
    rows = [{labels[code]: count for code, count in one.counts.items()} for one in kept]
    counts = pd.DataFrame(rows, index=index, columns=replicas_of(result, model)).fillna(0).astype("int64")
    return FanOut(counts, pd.Series([one.even for one in kept], index, dtype="float64"), len(found), who(result, model))


def draw_fan_out(drawn: FanOut, axes: Axes, colours: Mapping[str, str]) -> Axes:
    """Draw bars side by side for each burst, one for each replica, and a line where they would end if even."""
    places = np.arange(len(drawn.counts), dtype=np.float64)
    width = _ROOM / max(len(drawn.counts.columns), 1)
    if len(places):
        for number, (replica, heights) in enumerate(drawn.counts.items()):
            label = str(replica)
            left = places - _ROOM / 2 + number * width
            axes.bar(left, heights, width=0.94 * width, align="edge", color=colours[label], label=label)
        axes.hlines(drawn.even, places - 0.48, places + 0.48, color=INK, linewidth=1.6, label="even split")
    axes.set_ylim(0, None if len(places) else 1)
    axes.set_xticks(places, [f"{arrival_s:g}" for arrival_s in drawn.counts.index])
    which = "" if drawn.bursts == len(drawn.counts) else f" (the {len(drawn.counts)} most uneven of {drawn.bursts})"
    dress(axes, drawn.title, f"bursts by arrival, s{which}", "requests")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    legend_beside(axes)
    return axes
