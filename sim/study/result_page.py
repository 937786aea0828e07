"""The page of some result folders: their figures, how variants differ, and a timeline of each variant on one seed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import yaml

from sim.measure.changes.first_difference import first_difference
from sim.measure.differences import Demand
from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun, by_variant
from sim.measure.result import RunResult
from sim.measure.saved.result_folder import ResultFolder, SavedRun
from sim.measure.saved.run_folder import read, read_choices
from sim.report.column import columns
from sim.report.page.page import Pair, Timelines, page_html
from sim.report.page.section import Section
from sim.report.page.timeline import Timeline, timeline_of
from sim.report.terminal.differences import DifferencesTable
from sim.report.terminal.table import ScenarioTable
from sim.study.comparison import Question, compared
from sim.study.differences_table import differences_table

_DEMAND = Demand(confidence=0.95, margin=0.01)


@dataclass(frozen=True, slots=True)
class Reported:
    """What several folders have of one scenario."""

    name: str
    runs: Sequence[SavedRun]
    joint: Sequence[Verdict]
    """On several seeds together."""

    @property
    def judged(self) -> list[JudgedRun]:
        """The runs without their folders."""
        return [one.run for one in self.runs]

    @property
    def looked_at(self) -> list[SavedRun]:
        """One run of each variant, all on the seed that most variants have; of several such seeds the first."""
        variants = Counter(one.run.seed for one in self.runs)
        seed = min(variants, key=lambda seed: (-variants[seed], seed))
        return [one for one in self.runs if one.run.seed == seed]


def result_page(folders: Sequence[ResultFolder]) -> str:
    """Return the page of all runs in the folders. Raises BadRunFolder if a run that it shows is damaged."""
    sections: list[Section] = []
    timelines: list[Timeline] = []
    pairs: list[Pair] = []
    for scenario in scenarios_of(folders):
        results = {one.run.variant: read(one.folder) for one in scenario.looked_at}
        sections.append(_section(scenario, next(iter(results.values()))))
        pairs += _pairs(scenario.looked_at, first_number=len(timelines))
        timelines += [
            timeline_of(results[one.run.variant], one.run.variant, read_choices(one.folder))
            for one in scenario.looked_at
        ]
    return page_html(sections, Timelines(timelines, pairs))


def scenarios_of(folders: Sequence[ResultFolder]) -> Iterator[Reported]:
    """Yield what the folders have, scenario by scenario, the variants in the order of the scenario's file.

    If two folders have the same run, variants go by the names of their folders too.
    """
    owners = Counter((one.scenario, one.run.variant, one.run.seed) for folder in folders for one in folder.runs)
    is_ambiguous = max(owners.values(), default=0) > 1
    parts = [_named_by_folder(folder) if is_ambiguous else folder for folder in folders]
    for name in dict.fromkeys(one.scenario for folder in parts for one in folder.runs):
        order = [variant for folder in parts for variant in folder.variants.get(name, ())]
        runs = [one for folder in parts for one in folder.runs if one.scenario == name]
        order += [one.run.variant for one in runs]
        runs.sort(key=lambda one: (order.index(one.run.variant), one.run.seed))
        yield Reported(name, runs, [verdict for folder in parts for verdict in folder.joint.get(name, ())])


def _named_by_folder(folder: ResultFolder) -> ResultFolder:
    def named(variant: str) -> str:
        return f"{variant} ({folder.path})"

    def of_named(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
        return tuple(replace(verdict, variant=named(verdict.variant)) for verdict in verdicts)

    runs = (
        replace(one, run=replace(one.run, variant=named(one.run.variant), verdicts=of_named(one.run.verdicts)))
        for one in folder.runs
    )
    joint = {scenario: of_named(verdicts) for scenario, verdicts in folder.joint.items()}
    variants = {scenario: tuple(map(named, of_scenario)) for scenario, of_scenario in folder.variants.items()}
    return ResultFolder(folder.path, tuple(runs), joint, variants)


def _section(scenario: Reported, result: RunResult) -> Section:
    about = str(yaml.safe_load(str(result.plan)).get("about", "")).strip()
    speeds_differ = len(set(result.facts.speeds.values())) > 1
    table = ScenarioTable(scenario.name, about, columns(scenario.judged, scenario.joint), speeds_differ)
    return Section(table, _differences(scenario))


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
