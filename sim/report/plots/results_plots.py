"""The plots of many runs, as `results.plot`."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from sim.measure.judged_run import JudgedRun, by_variant
from sim.measure.result import RunResult
from sim.report.plots.look.axes import shown_axes
from sim.report.plots.variants.latency import draw_latency, latency_curve
from sim.report.plots.variants.percentiles import draw_percentiles, percentiles


class ResultsPlots:
    """Sets variants side by side. Each plot goes to the axes that are handed in, else to new ones, and returns them."""

    def __init__(
        self,
        runs: Sequence[JudgedRun],
        result: Callable[[tuple[str, int]], RunResult],
        new_axes: Callable[[float], Axes] = shown_axes,
    ) -> None:
        """Take what was kept of the runs, how to have the result of a variant on a seed, and how to make axes."""
        self._runs = runs
        self._result = result
        self._new_axes = new_axes

    def latency(self, axes: Axes | None = None) -> Axes:
        """Draw the distribution function of each variant's latencies, with its range over the seeds.

        It needs the tables of each run, of which one is in memory at a time. `run_all` has not kept them, so that its
        results run each run again.
        """
        curves = (
            latency_curve(variant, (self._result((variant, run.seed)).requests for run in runs))
            for variant, runs in by_variant(self._runs).items()
        )
        return draw_latency([curve for curve in curves if curve is not None], axes or self._new_axes(0))

    def percentiles(self, axes: Axes | None = None, *, family: str = "latency") -> Axes:
        """Draw percentiles of each variant, with the range over its seeds, of `latency`, `ttft`, `queue` or `route`.

        Raises ValueError for another family of metrics.
        """
        return draw_percentiles(percentiles(self._runs, family), axes or self._new_axes(0), family)
