"""The pictures that are written beside results: which there are, and each as an SVG file."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from matplotlib.axes import Axes

from sim.measure.judged_run import JudgedRun
from sim.measure.result import RunResult
from sim.report.plots.look.axes import file_axes
from sim.report.plots.look.image import svg_file
from sim.report.plots.look.palette import replica_colours
from sim.report.plots.results_plots import ResultsPlots
from sim.report.plots.run_plots import RunPlots


def _has_routes(result: RunResult) -> bool:
    return not result.in_flight.empty


_OF_RUN: Mapping[str, tuple[Callable[[RunPlots], Axes], Callable[[RunResult], bool]]] = {
    "share.svg": (RunPlots.share, _has_routes),
    "in_flight.svg": (RunPlots.in_flight, _has_routes),
    "queues.svg": (RunPlots.queues, _has_routes),
    "probes.svg": (RunPlots.probes, lambda result: not result.probes.empty),
    "fairness.svg": (RunPlots.fairness, lambda result: len(result.replicas) > 1),
    "bursts.svg": (RunPlots.bursts, lambda result: "burst.max_over_ideal" in result.metrics),
}
"""By file name: the plot, and whether there is anything to see in it."""


def run_pictures(
    results: Iterable[RunResult], write: Callable[[Axes], str] = svg_file, leave_out: Collection[str] = ()
) -> dict[str, dict[str, str]]:
    """Return the pictures of runs of different variants: by variant and file name, those that show anything.

    A replica has the same colour in all of them. `write` gives a picture's text; `leave_out` are file names.
    """
    drawn = list(results)
    colours = replica_colours(label for result in drawn for label in result.replicas["replica"])
    wanted = {name: of_run for name, of_run in _OF_RUN.items() if name not in leave_out}
    return {
        result.variant: {
            name: write(draw(RunPlots(result, colours, file_axes)))
            for name, (draw, has_something) in wanted.items()
            if has_something(result)
        }
        for result in drawn
    }


def variant_pictures(
    runs: Sequence[JudgedRun], result: Callable[[tuple[str, int]], RunResult], write: Callable[[Axes], str] = svg_file
) -> dict[str, str]:
    """Return the pictures of a scenario's variants side by side, by file name.

    `result` gives the result of a variant on a seed; it is called for each run, one after the other. `write` gives a
    picture's text.
    """
    plots = ResultsPlots(runs, result, file_axes)
    return {"latency.svg": write(plots.latency()), "percentiles.svg": write(plots.percentiles())}
