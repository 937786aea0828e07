"""Paired differences of variants to their base, each with its interval."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, SymmetricalLogLocator

from sim.measure.catalogue import Better, metric_of
from sim.measure.differences import Difference, counts_in_words
from sim.report.plots.look.axes import dress, legend_beside
from sim.report.plots.look.palette import FAINT, INK, variant_styles

_LINEAR_UP_TO = 10.0
"""Percent. Further out the axis is logarithmic, so that 2 % and 900 % can both be read."""
_SIGNS = {Better.LOWER: " ◂", Better.HIGHER: " ▸", Better.NEITHER: ""}


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences as parts of the base's mean."""

    rows: pd.DataFrame
    """A row for each difference that has an interval, and a base other than 0: `metric`, `variant`, then in percent of
    the base `mean`, `low` and `high`, and `is_clear`: whether the two differ beyond noise and margin."""
    base: str
    margin: float
    """Percent below which a difference is nobody's."""
    from_zero: tuple[str, ...]
    """Metrics that are 0 at the base and not at a variant: of nothing there is no percentage."""
    counts: str
    """How many of all rows are better, worse, and so on."""

    @property
    def title(self) -> str:
        """What is seen."""
        variants = list(dict.fromkeys(self.rows["variant"]))
        names = ", ".join(variants) if len(variants) <= 3 else f"{len(variants)} variants"
        return f"{names or 'Nothing'} against {self.base}: {self.counts or 'nothing to compare'}"


def differences(base: str, rows: Sequence[Difference], margin: float) -> Differences:
    """Return what is drawn of a comparison with the base; `margin` is its own, a part of the base's mean."""
    kept, from_zero = [], []
    for row in rows:
        if row.interval is None or (row.a == 0 and row.b == 0):
            continue
        if not row.a:
            from_zero.append(row.metric)
            continue
        figures = [100 * value / abs(row.a) for value in (row.interval.mean, row.interval.low, row.interval.high)]
        kept.append((row.metric, row.variant, *figures, row.verdict.is_clear_difference))
    table = pd.DataFrame(kept, columns=["metric", "variant", "mean", "low", "high", "is_clear"])
    return Differences(table, base, 100 * margin, tuple(dict.fromkeys(from_zero)), counts_in_words(rows))


def draw_differences(drawn: Differences, axes: Axes) -> Axes:
    """Draw for each metric a mark and an interval for each variant; the mark is filled if the difference is clear."""
    metrics = list(dict.fromkeys(drawn.rows["metric"]))
    # With the base, which has the first style where variants stand side by side.
    styles = variant_styles([drawn.base, *drawn.rows["variant"]])
    variants = list(dict.fromkeys(drawn.rows["variant"]))
    axes.axvspan(-drawn.margin, drawn.margin, color=FAINT, alpha=0.3, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8)
    for number, variant in enumerate(variants):
        rows = drawn.rows[drawn.rows["variant"] == variant]
        below = 0.7 * ((number + 0.5) / len(variants) - 0.5)
        places = np.array([metrics.index(metric) for metric in rows["metric"]]) + below
        fills = [INK if is_clear else "none" for is_clear in rows["is_clear"]]
        axes.hlines(places, rows["low"], rows["high"], color=INK, linewidth=1.4)
        marks = axes.scatter(
            rows["mean"], places, s=36, marker=styles[variant].marker, facecolors=fills, label=variant, zorder=3
        )
        marks.set(edgecolor=INK, clip_on=False)
    dress(axes, drawn.title, _x_label(drawn), "")
    axes.set_yticks(range(len(metrics)), [f"{metric}{_SIGNS[metric_of(metric).better]}" for metric in metrics])
    axes.set_ylim(max(len(metrics), 1) - 0.4, -0.6)
    _scale(axes, drawn.rows[["low", "high"]].to_numpy().ravel().tolist())
    if len(variants) > 1:
        legend_beside(axes)
    return axes


def _x_label(drawn: Differences) -> str:
    told = f"difference in % of {drawn.base}; ◂ ▸ this side is better; filled: beyond noise and {drawn.margin:g} %"
    return f"{told}\n0 at {drawn.base}: {', '.join(drawn.from_zero)}" if drawn.from_zero else told


def _scale(axes: Axes, ends: Iterable[float]) -> None:
    if max(map(abs, ends), default=0) > 5 * _LINEAR_UP_TO:
        axes.set_xscale("symlog", linthresh=_LINEAR_UP_TO)
        axes.xaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=_LINEAR_UP_TO))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:+g}" if value else "0"))
