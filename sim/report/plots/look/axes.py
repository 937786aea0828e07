"""What all plots have in common: their size, title, axes, and a legend that covers no data."""

from collections.abc import Sequence
from textwrap import fill
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from sim.measure.recording.records import Floats
from sim.report.plots.look.palette import FAINT, INK

_WIDTH_INCHES, _LEAST_HEIGHT_INCHES, _LANE_INCHES = 8.0, 3.6, 0.75

LINE_ABOVE_PT = 10
"""Height of a line of text between the axes and their title."""
_TITLE_WIDTH = 68
"""Characters of a line."""
_LOGARITHMIC_FROM = 20
"""Where the longest time is so many times the shortest, only a logarithmic axis shows both."""


def shown_axes(lanes: float = 0) -> Axes:
    """Return axes that a notebook shows at the end of the cell, higher if that many lanes need it."""
    # Here, because files need no windows.
    from matplotlib import pyplot

    axes: Axes = pyplot.subplots(figsize=_size(lanes), layout="constrained")[1]
    return axes


def file_axes(lanes: float = 0) -> Axes:
    """Return axes for a file: no window and no notebook is told of them."""
    return Figure(figsize=_size(lanes), layout="constrained").subplots()


def dress(axes: Axes, title: str, x: str, y: str, lines_above: int = 1) -> None:
    """Give the axes their title, above so many lines of text, and labels; take away the lines that show nothing."""
    pad_pt = 6 + LINE_ABOVE_PT * lines_above
    axes.set_title(fill(title, _TITLE_WIDTH), loc="left", fontsize=11, fontweight="bold", color=INK, pad=pad_pt)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.tick_params(colors=INK, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.grid(axis="y", color=FAINT, alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)


def name_lanes(axes: Axes, places: Sequence[float], names: Sequence[str]) -> None:
    """Write the name of each lane beside it, at its place on the vertical axis, and draw no lines between lanes."""
    axes.set_yticks(places, names)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)


def legend_beside(axes: Axes, **options: Any) -> None:
    """Put the legend to the right of the axes, if anything has a label; `options` are those of `Axes.legend`."""
    if not axes.get_legend_handles_labels()[0]:
        return
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    axes.legend(**place, frameon=False, fontsize=9, labelcolor=INK, **options)


def scale_of(times_s: Floats) -> Literal["linear", "log"]:
    """Return the scale of an axis on which all the times can be read."""
    spread_out = times_s.size > 0 and times_s.min() > 0 and times_s.max() >= _LOGARITHMIC_FROM * times_s.min()
    return "log" if spread_out else "linear"


def write_plainly(axis: Axis) -> None:
    """Write the axis's numbers as they are, without powers of ten."""
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _size(lanes: float) -> tuple[float, float]:
    return _WIDTH_INCHES, max(_LEAST_HEIGHT_INCHES, 1.2 + lanes * _LANE_INCHES)
