"""The page of some result folders: their figures, how variants differ, and a timeline of each variant on one seed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from sim.measure.changes.first_difference import RunTables, first_difference_of
from sim.measure.differences import Demand
from sim.measure.judged_run import by_variant
from sim.measure.result import RunResult
from sim.measure.saved.result_folder import ResultFolder, SavedRun
from sim.measure.saved.run_folder import read, read_choices
from sim.report.page.page import Pair, page_html
from sim.report.page.section import Plot, Section
from sim.report.page.timeline import Timeline, timeline_of
from sim.report.plots.look.image import svg_for_page
from sim.report.plots.pictures import run_pictures, variant_pictures
from sim.study.comparison import Comparison, Question, compared
from sim.study.reports.differences_plot import differences_plot
from sim.study.reports.differences_table import differences_table
from sim.study.reports.reported import Reported, reported, table_of

_DEMAND = Demand(confidence=0.95, margin=0.01)
_IN_THE_TIMELINE = ("in_flight.svg", "probes.svg")
"""Pictures of what the timeline shows as well; of long runs they are large."""
_MOST_CHOICES = 4_000_000
"""Rows of one run that a page holds: with 40 replicas those of 100,000 picks, which a browser can still open."""
_SEEN_FIRST = ("share.svg", "latency.svg", "differences.svg")
_Reader = Callable[[Path], RunResult]
"""Gives the result that a folder holds."""


def result_page(folders: Sequence[ResultFolder]) -> str:
    """Return the page of all runs in the folders. Raises BadRunFolder if a run that it shows is damaged."""
    sections: list[Section] = []
    timelines: list[Timeline] = []
    pairs: list[Pair] = []
    for scenario in reported(folders):
        looked_at = scenario.looked_at
        result = _reader(one.folder for one in looked_at)
        sections.append(_section(scenario, looked_at, result))
        pairs += _pairs(looked_at, first_number=len(timelines))
        timelines += (_timeline(one, result(one.folder)) for one in looked_at)
    return page_html(sections, timelines, pairs)


def _reader(looked_at: Iterable[Path]) -> _Reader:
    """Return what reads a run's folder, and has read these once and for all."""
    held = {folder: read(folder) for folder in looked_at}

    def result(folder: Path) -> RunResult:
        return held[folder] if folder in held else read(folder)

    return result


def _section(scenario: Reported, looked_at: Sequence[SavedRun], result: _Reader) -> Section:
    comparison = _comparison(scenario)
    plots = list(_plots(scenario, looked_at, result, comparison))
    return Section(
        table_of(scenario, result),
        None if comparison is None else differences_table(comparison),
        [plot for name, plot in plots if name in _SEEN_FIRST],
        [plot for name, plot in plots if name not in _SEEN_FIRST],
    )


def _plots(
    scenario: Reported, looked_at: Sequence[SavedRun], result: _Reader, comparison: Comparison | None
) -> Iterator[tuple[str, Plot]]:
    """Yield each plot with its name: those of single runs side by side, then those of all variants together."""
    results = (replace(result(one.folder), variant=one.run.variant) for one in looked_at)
    of_runs = run_pictures(results, svg_for_page, leave_out=_IN_THE_TIMELINE)
    for name in dict.fromkeys(name for pictures in of_runs.values() for name in pictures):
        for variant, pictures in of_runs.items():
            if name in pictures:
                yield name, Plot(f"{variant}, seed {looked_at[0].run.seed}", pictures[name])
    folders = {(one.run.variant, one.run.seed): one.folder for one in scenario.runs}
    for name, svg in variant_pictures(scenario.judged, lambda run: result(folders[run]), svg_for_page).items():
        yield name, Plot("all variants and seeds", svg)
    if comparison is not None:
        svg = svg_for_page(differences_plot(comparison))
        yield "differences.svg", Plot("on the seeds that all variants have", svg)


def _timeline(one: SavedRun, result: RunResult) -> Timeline:
    return timeline_of(result, one.run.variant, read_choices(one.folder, _MOST_CHOICES))


def _comparison(scenario: Reported) -> Comparison | None:
    """Compare the other variants with the first, on the seeds that all of them have; None unless these are several."""
    variants = by_variant(scenario.judged)
    shared = set.intersection(*({run.seed for run in runs} for runs in variants.values()))
    if len(variants) < 2 or len(shared) < 2:
        return None
    base, *others = variants
    runs = [run for run in scenario.judged if run.seed in shared]
    return compared(scenario.name, Question(base, tuple(others), None, _DEMAND), runs)


def _pairs(runs: Sequence[SavedRun], first_number: int) -> Iterator[Pair]:
    """Yield every two runs with where they part; the page numbers them from `first_number` on."""
    numbered = [(number, one.run.digest, RunTables(one.folder)) for number, one in enumerate(runs, first_number)]
    for (number, digest, tables), (other_number, other_digest, others) in combinations(numbered, 2):
        parting = None if digest == other_digest else first_difference_of(tables, others)
        yield Pair(number, other_number, parting)
