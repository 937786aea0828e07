"""What result folders tell of each scenario, for a report on all of them together."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from yaml import safe_load

from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun
from sim.measure.result import RunResult
from sim.measure.saved.result_folder import ResultFolder, SavedRun
from sim.measure.saved.run_folder import read
from sim.report.column import columns
from sim.report.terminal.table import ScenarioTable


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


def reported(folders: Sequence[ResultFolder]) -> Iterator[Reported]:
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


def table_of(scenario: Reported, result: Callable[[Path], RunResult] = read) -> ScenarioTable:
    """Return the scenario's table, as the terminal shows it. Raises BadRunFolder if its first run is damaged.

    `result` gives the result that a folder holds.
    """
    run = result(scenario.runs[0].folder)
    return ScenarioTable(
        scenario.name,
        str(plan_of(run).get("about", "")).strip(),
        columns(scenario.judged, scenario.joint),
        speeds_differ=any(len(set(of_nodes.values())) > 1 for of_nodes in run.facts.speeds.values()),
    )


def plan_of(run: RunResult) -> dict[str, Any]:
    """Return a saved run's plan as plain data.

    Loading it as a scenario could need code and traces that are not here.
    """
    plan: dict[str, Any] = safe_load(str(run.plan))
    return plan
