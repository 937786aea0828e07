"""One run of one variant: expand its plan, simulate it, and hand over what was recorded and measured."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sim.measure.expectations import Verdict, check, window_of
from sim.measure.facts import RunFacts, Totals
from sim.measure.recorder import Recorder
from sim.measure.records import Records
from sim.measure.summary import summarise
from sim.measure.window import Window
from sim.scenario import Expectation, Scenario, ScenarioFile, make_plan
from sim.scenario.text.errors import did_you_mean, listed
from sim.simulated.world import World

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RunResult:
    """What one run left behind: figures, and tables with a row for each thing that happened.

    In the tables, columns that end in `_s` are seconds since the start of the run or durations; what did not happen
    is missing.
    """

    scenario: Scenario
    variant: str
    seed: int
    digest: str
    """Fingerprint of every recorded decision and event; equal plans have equal digests."""
    metrics: dict[str, float]
    """Flat figures by name, over everything after the warm-up."""
    records: Records = field(repr=False)
    totals: Totals = field(repr=False)

    @cached_property
    def requests(self) -> "pd.DataFrame":
        """One row a request."""
        return self._table("requests")

    @cached_property
    def picks(self) -> "pd.DataFrame":
        """One row for each time the registry chose a replica."""
        return self._table("picks")

    @cached_property
    def probes(self) -> "pd.DataFrame":
        """One row for each health call that was sent."""
        return self._table("probes")

    @cached_property
    def events(self) -> "pd.DataFrame":
        """One row for each change of the rows, install and load, with its cause."""
        return self._table("events")

    @cached_property
    def replicas(self) -> "pd.DataFrame":
        """One row a replica: how long it was ready, how many requests it served, how busy it was."""
        return self._table("replicas", self.totals.end_ns)

    def _table(self, kind: str, *more: object) -> "pd.DataFrame":
        # Here, because importing pandas takes longer than a small run, and the figures do not need it.
        from sim.measure import tables

        table: pd.DataFrame = getattr(tables, kind)(self.records, RunFacts.of(self.scenario), *more)
        return table

    def metrics_in(self, window: Window) -> dict[str, float]:
        """Return the figures over the requests that arrived in the window."""
        return summarise(self.records, self.totals, RunFacts.of(self.scenario), window)


class NoSuchVariant(LookupError):
    """The scenario file has no variant of that name."""


def run(
    file: ScenarioFile, variant: str | None = None, seed: int | None = None, observers: Sequence[object] = ()
) -> RunResult:
    """Run one variant of a loaded scenario file, the first one unless named, on the scenario's seed unless given.

    Each observer is told every decision and event as it happens; see `Observer`.

    Raises NoSuchVariant, ValueError for a seed that is not from 0 to 2^64 - 1, and TypeError for an object that is no
    observer.
    """
    name = next(iter(file.variants)) if variant is None else variant
    if name not in file.variants:
        hint = did_you_mean(name, file.variants)
        raise NoSuchVariant(f"{file.path} has no variant {name!r}; allowed: {listed(file.variants)}{hint}")
    return run_scenario(file.variants[name], name, seed, observers)


def run_scenario(
    scenario: Scenario, variant: str = "default", seed: int | None = None, observers: Sequence[object] = ()
) -> RunResult:
    """Run a complete scenario; the result is a pure function of the scenario and the seed."""
    if seed is not None:
        scenario = scenario.model_copy(update={"seed": seed})
    recorder = Recorder()
    world = World(make_plan(scenario, scenario.seed), [recorder, *observers])
    world.run()
    records = recorder.records
    totals = Totals(
        transactions=world.transactions,
        floor_hits=world.parts.database.table.floor_hits,
        final_in_flight=world.parts.database.table.total_in_flight(),
        drift_ns=world.parts.database.table.drift_ns(),
        end_ns=world.parts.runtime.now_ns(),
    )
    metrics = summarise(records, totals, RunFacts.of(scenario))
    return RunResult(scenario, variant, scenario.seed, records.digest(), metrics, records, totals)


def judge(expect: tuple[Expectation, ...], results: dict[str, RunResult]) -> list[Verdict]:
    """Check the expectations against the runs of one seed, by variant; in the order of the file."""
    verdicts: list[Verdict] = []
    measured: dict[Window, dict[str, dict[str, float]]] = {}
    for expectation in expect:
        window = window_of(expectation)
        if window not in measured:
            measured[window] = {name: result.metrics_in(window) for name, result in results.items()}
        verdicts.extend(check(expectation, measured[window]))
    return verdicts
