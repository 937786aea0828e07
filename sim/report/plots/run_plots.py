"""The plots of one run, as `result.plot`."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from sim.measure.result import RunResult
from sim.report.plots.look.axes import shown_axes
from sim.report.plots.look.palette import replica_colours
from sim.report.plots.run.in_flight import draw_load, load
from sim.report.plots.run.share import draw_shares, shares
from sim.report.plots.variants.latency import draw_latency, latency_curve


class RunPlots:
    """Draws one run. Each plot goes to the axes that are handed in, else to new ones, and returns them.

    Where there are several models, a plot is about the one that it is given, else about the one that most requests
    asked for; a model that the run does not have raises ValueError.
    """

    def __init__(self, result: RunResult, colours: Mapping[str, str] | None = None) -> None:
        """Take the colours of `replica_colours`, over all runs in which a replica is to look the same."""
        self._result = result
        self._colours = colours or replica_colours(result.replicas["replica"])

    def share(self, axes: Axes | None = None, *, window_s: float | None = None, model: str | None = None) -> Axes:
        """Draw the share of each replica in the requests over time, stacked, in windows of `window_s` seconds."""
        return draw_shares(shares(self._result, window_s, model), axes or shown_axes(), self._colours)

    def in_flight(self, axes: Axes | None = None, *, model: str | None = None) -> Axes:
        """Draw each replica's requests in flight as steps, with probes, deleted rows, loads and faults."""
        return draw_load(load(self._result, model), axes or shown_axes(), self._colours)

    def latency(self, axes: Axes | None = None) -> Axes:
        """Draw the distribution function of the latencies."""
        curve = latency_curve(self._result.variant, [self._result.requests])
        return draw_latency([] if curve is None else [curve], axes or shown_axes())
