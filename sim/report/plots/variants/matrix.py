"""Which policy for which load: how far each policy is from the base on each load, in one metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm

from sim.measure.catalogue import Better, metric_of
from sim.measure.differences import Difference, counts_in_words
from sim.report.plots.look.axes import dress
from sim.report.plots.look.palette import INK
from sim.scenario.text.errors import did_you_mean, listed

COLOUR_MAP = "PuOr"
"""From orange (worse) over white to purple (better): safe for readers with any kind of colour vision (C. Brewer,
colorbrewer2.org)."""
_FULL_COLOUR = 100.0
"""Percent from which on a cell has the full colour; nearer to 0 the colours are logarithmic."""
_LINEAR_UP_TO = 5.0
_DARK_FROM = 40.0


@dataclass(frozen=True, slots=True)
class Matrix:
    """The differences of policies to the base by load, in percent of the base's mean on that load."""

    change: pd.DataFrame
    """A row for each policy, a column for each load; missing where the metric does not apply, or the base is 0."""
    is_clear: pd.DataFrame
    """Of the same shape: whether the two differ beyond noise and margin."""
    metric: str
    base: str
    counts: str
    """How many of the cells are better, worse, and so on."""

    @property
    def title(self) -> str:
        """What is seen."""
        return f"{self.metric} against {self.base}: {self.counts}"


def matrix(comparisons: Mapping[str, Sequence[Difference]], metric: str) -> Matrix:
    """Return the matrix of a metric; `comparisons` has the rows of a comparison for each load, all with one base.

    Raises ValueError if no row is about the metric, if neither more nor less of it is better, and if there are several
    bases.
    """
    compared = dict.fromkeys(row.metric for rows in comparisons.values() for row in rows)
    if metric not in compared:
        raise ValueError(f"no row is about {metric!r}; allowed: {listed(compared)}{did_you_mean(metric, compared)}")
    if metric_of(metric).better is Better.NEITHER:
        raise ValueError(f"of {metric} neither more nor less is better; allowed: a metric with a better direction")
    cells = {(row.variant, load): row for load, rows in comparisons.items() for row in rows if row.metric == metric}
    bases = sorted({row.base for row in cells.values()})
    if len(bases) > 1:
        raise ValueError(f"found several bases of {metric}: {', '.join(bases)}; allowed: one for all loads")
    policies = list(dict.fromkeys(policy for policy, _ in cells))
    change = pd.DataFrame(np.nan, index=policies, columns=list(comparisons))
    is_clear = pd.DataFrame(False, index=policies, columns=list(comparisons))
    for (policy, load), row in cells.items():
        if row.a and row.difference is not None:
            change.loc[policy, load] = 100 * row.difference / abs(row.a)
            is_clear.loc[policy, load] = row.verdict.is_clear_difference
    return Matrix(change, is_clear, metric, bases[0], counts_in_words(cells.values()))


def draw_matrix(drawn: Matrix, axes: Axes) -> Axes:
    """Draw a cell for each policy and load with the difference: purple is better, orange worse, white unclear."""
    towards_better = -1 if metric_of(drawn.metric).better is Better.LOWER else 1
    colours = (towards_better * drawn.change).where(drawn.is_clear, 0.0).to_numpy()
    scale = SymLogNorm(_LINEAR_UP_TO, vmin=-_FULL_COLOUR, vmax=_FULL_COLOUR, clip=True)
    axes.pcolormesh(np.ma.masked_invalid(colours), cmap=COLOUR_MAP, norm=scale, edgecolors="white", linewidth=2)
    for (row, column), value in np.ndenumerate(drawn.change.to_numpy()):
        told = "" if np.isnan(value) else f"{round(value):+,} %"
        ink = "white" if abs(colours[row, column]) > _DARK_FROM else INK
        axes.text(column + 0.5, row + 0.5, told, ha="center", va="center", color=ink, fontsize=9)
    dress(axes, drawn.title, "purple: better, orange: worse, white: no difference beyond noise", "")
    axes.set_xticks(np.arange(len(drawn.change.columns)) + 0.5, list(drawn.change.columns))
    axes.set_yticks(np.arange(len(drawn.change)) + 0.5, list(drawn.change.index))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_ylim(len(drawn.change), 0)
    return axes
