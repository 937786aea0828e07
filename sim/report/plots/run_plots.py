"""The plots of one run, as `result.plot`."""

from collections.abc import Callable, Mapping

from matplotlib.axes import Axes

from sim.measure.result import RunResult
from sim.report.plots.look.axes import shown_axes
from sim.report.plots.look.palette import replica_colours
from sim.report.plots.run.bursts import draw_fan_out, fan_out
from sim.report.plots.run.fairness import draw_fairness, fairness
from sim.report.plots.run.in_flight import draw_load, load
from sim.report.plots.run.probes import draw_probes, probes
from sim.report.plots.run.queues import draw_queues, queues
from sim.report.plots.run.share import draw_shares, shares
from sim.report.plots.variants.latency import draw_latency, latency_curve


class RunPlots:
    """Draws one run. Each plot goes to the axes that are handed in, else to new ones, and returns them.

    Plots show the whole run, the warm-up too, which metrics leave out.
    Where there are several models, a plot is about the one that it is given, else about the one that most requests
    asked for. Raises ValueError for a model that the run does not have, and for a window that is not above 0.
    """

    def __init__(
        self,
        result: RunResult,
        colours: Mapping[str, str] | None = None,
        new_axes: Callable[[float], Axes] = shown_axes,
    ) -> None:
        """Take the run and how to make axes, which are told for how many lanes.

        The colours are those of `replica_colours`, over all runs in which a replica is to look the same.
        """
        self._result = result
        self._colours = colours or replica_colours(result.replicas["replica"])
        self._new_axes = new_axes

    def share(self, axes: Axes | None = None, *, window_s: float | None = None, model: str | None = None) -> Axes:
        """Draw the share of each replica in the requests over time, stacked."""
        return draw_shares(shares(self._result, window_s, model), axes or self._new_axes(0), self._colours)

    def in_flight(self, axes: Axes | None = None, *, model: str | None = None) -> Axes:
        """Draw each replica's requests in flight as steps, with probes, deleted rows, loads and faults."""
        drawn = load(self._result, model)
        return draw_load(drawn, axes or self._new_axes(len(drawn.steps)), self._colours)

    def probes(self, axes: Axes | None = None, *, model: str | None = None) -> Axes:
        """Draw each probe from its start to its end, how it ended, and the picks that shared its answer."""
        drawn = probes(self._result, model)
        return draw_probes(drawn, axes or self._new_axes(len(drawn.replicas)), self._colours)

    def queues(self, axes: Axes | None = None, *, window_s: float | None = None, model: str | None = None) -> Axes:
        """Draw how many requests wait at each replica, as a map of replicas by time."""
        return draw_queues(queues(self._result, window_s, model), axes or self._new_axes(0))

    def fairness(self, axes: Axes | None = None, *, window_s: float | None = None, model: str | None = None) -> Axes:
        """Draw Jain's index over sliding windows, beside what it is if requests go to replicas at random."""
        return draw_fairness(fairness(self._result, window_s, model), axes or self._new_axes(0))

    def bursts(self, axes: Axes | None = None, *, model: str | None = None) -> Axes:
        """Draw how the requests of each burst were spread over the replicas, beside an even split."""
        return draw_fan_out(fan_out(self._result, model), axes or self._new_axes(0), self._colours)

    def latency(self, axes: Axes | None = None) -> Axes:
        """Draw the distribution function of the latencies."""
        curve = latency_curve(self._result.variant, [self._result.requests])
        return draw_latency([] if curve is None else [curve], axes or self._new_axes(0))
