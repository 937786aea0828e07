"""How long requests take: the distribution of each variant's latency, with the range over its seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from sim.measure.recording.records import Floats
from sim.report.plots.look.axes import dress, legend_beside, scale_of, write_plainly
from sim.report.plots.look.palette import FAINT, INK, variant_styles
from sim.report.plots.look.words import percent, seconds

PARTS = np.linspace(0, 1, 401)
"""The parts of the completed requests for which a curve has the latency that so many stay below."""
MARKED = (0.5, 0.9, 0.99)
"""The parts that have a mark on the curve."""
_MOST_IN_TITLE = 3


@dataclass(frozen=True, slots=True)
class LatencyCurve:
    """One variant's latencies over its seeds; the arrays have an entry for each of `PARTS`, in seconds."""

    variant: str
    middle_s: Floats
    """Median over the seeds of the latency that this part of the requests stays below."""
    low_s: Floats
    """The lowest on any seed."""
    high_s: Floats
    seeds: int
    completed: float
    """Part of the requests of all seeds that completed; of the others nothing is drawn."""

    @property
    def median_s(self) -> float:
        """The median latency."""
        return float(np.interp(0.5, PARTS, self.middle_s))

    @property
    def label(self) -> str:
        """What the legend says."""
        return self.variant if self.completed == 1 else f"{self.variant}\n({percent(self.completed)} completed)"


def latency_curve(variant: str, runs: Iterable[pd.DataFrame]) -> LatencyCurve | None:
    """Return the curve of a variant from the tables of requests of its runs, of which one is looked at at a time.

    None if no request completed.
    """
    curves: list[Floats] = []
    offered = completed = seeds = 0
    for requests in runs:
        latencies = requests["latency_s"].dropna()
        seeds, offered, completed = seeds + 1, offered + len(requests), completed + len(latencies)
        if len(latencies):
            curves.append(np.quantile(latencies, PARTS))
    if not curves:
        return None
    stacked = np.stack(curves)
    middle = np.median(stacked, axis=0)
    return LatencyCurve(variant, middle, stacked.min(axis=0), stacked.max(axis=0), seeds, completed / offered)


def draw_latency(curves: Sequence[LatencyCurve], axes: Axes) -> Axes:
    """Draw each variant's distribution function, and its range over the seeds as an area."""
    styles = variant_styles(curve.variant for curve in curves)
    for curve in curves:
        style = styles[curve.variant]
        if curve.seeds > 1:
            axes.fill_betweenx(PARTS, curve.low_s, curve.high_s, color=INK, alpha=0.13, linewidth=0)
        axes.plot(curve.middle_s, PARTS, linestyle=style.line, color=INK, linewidth=1.6, label=curve.label)
        axes.plot(np.interp(MARKED, PARTS, curve.middle_s), MARKED, linestyle="", marker=style.marker, color=INK)
    seeds = max((curve.seeds for curve in curves), default=1)
    over = f"; median and range of {seeds} seeds" if seeds > 1 else ""
    dress(axes, title(curves), f"latency, s (marks at 50, 90 and 99 %{over})", "requests that take no longer")
    axes.set(ylim=(0, 1.01))
    axes.grid(axis="x", color=FAINT, alpha=0.3, linewidth=0.6)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    edges = [edge for curve in curves for edge in (curve.low_s, curve.high_s)]
    axes.set_xscale(scale_of(np.array(edges, dtype=np.float64)))
    write_plainly(axes.xaxis)
    legend_beside(axes)
    return axes


def title(curves: Sequence[LatencyCurve]) -> str:
    """Return what is seen: the medians, of many variants the shortest and the longest."""
    if not curves:
        return "No request completed"
    told = list(curves)
    if len(told) > _MOST_IN_TITLE:
        ordered = sorted(curves, key=lambda curve: curve.median_s)
        told = [ordered[0], ordered[-1]]
    return "Median latency: " + ", ".join(f"{curve.variant} {seconds(curve.median_s)}" for curve in told)
