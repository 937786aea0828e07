"""The plots of many runs, as `results.plot`."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from sim.measure.judged_run import JudgedRun, by_variant
from sim.measure.result import RunResult
from sim.report.plots.look.axes import shown_axes
from sim.report.plots.variants.latency import draw_latency, latency_curve


class ResultsPlots:
    """Sets variants side by side. Each plot goes to the axes that are handed in, else to new ones, and returns them."""

    def __init__(self, runs: Sequence[JudgedRun], again: Callable[[tuple[str, int]], RunResult]) -> None:
        """Take what was kept of the runs, and how to have the tables of one again."""
        self._runs = runs
        self._again = again

    def latency(self, axes: Axes | None = None) -> Axes:
        """Draw the distribution function of each variant's latencies, with its range over the seeds.

        The tables of the runs were not kept, so each is run again, one after the other.
        """
        curves = (
            latency_curve(variant, (self._again((variant, run.seed)).requests for run in runs))
            for variant, runs in by_variant(self._runs).items()
        )
        return draw_latency([curve for curve in curves if curve is not None], axes or shown_axes())
