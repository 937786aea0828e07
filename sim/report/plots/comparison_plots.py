"""The plot of a comparison, as `comparison.plot`."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from sim.measure.differences import Difference
from sim.report.plots.look.axes import shown_axes
from sim.report.plots.variants.differences import differences, draw_differences

_LANES_PER_ROW = 0.4


class ComparisonPlots:
    """Draws a comparison of variants with their base."""

    def __init__(
        self, base: str, rows: Sequence[Difference], margin: float, new_axes: Callable[[float], Axes] = shown_axes
    ) -> None:
        """Take the rows of a comparison, its margin as a part of the base's mean, and how to make axes."""
        self._drawn = differences(base, rows, margin)
        self._new_axes = new_axes

    def differences(self, axes: Axes | None = None) -> Axes:
        """Draw the differences with their intervals, in percent of the base, on new axes unless some are handed in."""
        return draw_differences(self._drawn, axes or self._new_axes(_LANES_PER_ROW * len(self._drawn.rows)))
