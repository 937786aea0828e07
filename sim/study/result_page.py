"""The page of some result folders: their figures, how variants differ, and a timeline of each variant on one seed."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from sim.measure.changes.first_difference import first_difference
from sim.measure.differences import Demand
from sim.measure.judged_run import by_variant
from sim.measure.saved.result_folder import ResultFolder, SavedRun
from sim.measure.saved.run_folder import read, read_choices
from sim.report.page.page import Pair, page_html
from sim.report.page.section import Section
from sim.report.page.timeline import Timeline, timeline_of
from sim.report.terminal.differences import DifferencesTable
from sim.study.comparison import Question, compared
from sim.study.differences_table import differences_table
from sim.study.reported import Reported, plan_of, reported, table_of

_DEMAND = Demand(confidence=0.95, margin=0.01)


def result_page(folders: Sequence[ResultFolder]) -> str:
    """Return the page of all runs in the folders. Raises BadRunFolder if a run that it shows is damaged."""
    sections: list[Section] = []
    timelines: list[Timeline] = []
    pairs: list[Pair] = []
    for scenario in reported(folders):
        sections.append(Section(table_of(scenario), _differences(scenario)))
        pairs += _pairs(scenario.looked_at, first_number=len(timelines))
        timelines += map(_timeline, scenario.looked_at)
    return page_html(sections, timelines, pairs)


def _timeline(one: SavedRun) -> Timeline:
    result = read(one.folder)
    policy = plan_of(result)["router"]["policy"]
    name = policy if isinstance(policy, str) else policy["name"]
    return timeline_of(result, one.run.variant, name, read_choices(one.folder))


def _differences(scenario: Reported) -> DifferencesTable | None:
    """Compare the other variants with the first, on the seeds that all of them have; None unless these are several."""
    variants = by_variant(scenario.judged)
    shared = set.intersection(*({run.seed for run in runs} for runs in variants.values()))
    if len(variants) < 2 or len(shared) < 2:
        return None
    base, *others = variants
    runs = [run for run in scenario.judged if run.seed in shared]
    return differences_table(compared(scenario.name, Question(base, tuple(others), None, _DEMAND), runs))


def _pairs(runs: Sequence[SavedRun], first_number: int) -> Iterator[Pair]:
    """Yield every two runs with where they part; the page numbers them from `first_number` on."""
    for (number, one), (other_number, other) in combinations(enumerate(runs, first_number), 2):
        parting = None if one.run.digest == other.run.digest else first_difference(one.folder, other.folder)
        yield Pair(number, other_number, parting)
