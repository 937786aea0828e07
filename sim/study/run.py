"""One run of one variant: expand its plan, simulate it, and hand over what was recorded and measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sim.measure.expectations import Verdict, check, window_of
from sim.measure.recorder import Recorder
from sim.measure.result import RunResult, measured
from sim.measure.summary import Totals
from sim.measure.window import Window
from sim.routing.ports import Clock
from sim.scenario import Expectation, Scenario, ScenarioFile, load, make_plan
from sim.scenario.text.errors import did_you_mean, listed
from sim.simulated.world import World
from sim.study.errors import NoSuchVariant

Watch = Callable[[Clock], None]
"""Is handed the clock of a run just before it starts, and may read it meanwhile: a display of progress."""


def run(
    file: ScenarioFile | str | Path, variant: str | None = None, seed: int | None = None, watch: Watch | None = None
) -> RunResult:
    """Run one variant of a scenario, given by its path or as `load` returned it, on the scenario's seed unless given.

    The variant may be left out if there is only one. Raises NoSuchVariant, ScenarioError if the file cannot be used,
    and ValueError for a seed that is not from 0 to 2^64 - 1.
    """
    loaded = as_loaded(file)
    name = only_variant(loaded) if variant is None else variant
    check_variant(loaded, name)
    return run_scenario(loaded.variants[name], name, seed, watch)


def run_scenario(
    scenario: Scenario, variant: str = "default", seed: int | None = None, watch: Watch | None = None
) -> RunResult:
    """Run a complete scenario; the result is a pure function of the scenario and the seed."""
    if seed is not None:
        scenario = scenario.model_copy(update={"seed": seed})
    recorders: list[Recorder] = []

    def new_recorder(clock: Clock, is_alive: Callable[[str], bool]) -> Recorder:
        recorders.append(Recorder(clock, is_alive))
        return recorders[0]

    world = World(scenario, make_plan(scenario, scenario.seed), new_recorder)
    if watch is not None:
        watch(world.runtime)
    world.run()
    totals = Totals(
        transactions=world.transactions,
        floor_hits=world.database.table.floor_hits,
        final_in_flight=world.database.table.total_in_flight(),
        drift_ns=world.database.table.drift_ns(),
        end_ns=world.runtime.now_ns(),
    )
    return measured(scenario, variant, recorders[0].records, totals)


def judge(expect: Sequence[Expectation], results: Mapping[str, RunResult]) -> list[Verdict]:
    """Check the expectations against the runs of one seed, by variant; in the order of the file."""
    verdicts: list[Verdict] = []
    metrics: dict[Window, dict[str, dict[str, float]]] = {}
    for expectation in expect:
        window = window_of(expectation)
        if window not in metrics:
            metrics[window] = {name: result.metrics_in(window) for name, result in results.items()}
        verdicts += [
            replace(verdict, seed=results[verdict.variant].seed) for verdict in check(expectation, metrics[window])
        ]
    return verdicts


def as_loaded(file: ScenarioFile | str | Path) -> ScenarioFile:
    """Return what `load` makes of a path; a file that is loaded stays as it is."""
    return file if isinstance(file, ScenarioFile) else load(file)


def only_variant(file: ScenarioFile) -> str:
    """Return the name of the file's variant. Raises NoSuchVariant if it has several."""
    if len(file.variants) > 1:
        raise NoSuchVariant(f"{file.path} has several variants; name one of them: {listed(file.variants)}")
    return next(iter(file.variants))


def check_variant(file: ScenarioFile, name: str) -> None:
    """Raise NoSuchVariant unless the file has a variant of that name."""
    if name not in file.variants:
        hint = did_you_mean(name, file.variants)
        raise NoSuchVariant(f"{file.path} has no variant {name!r}; allowed: {listed(file.variants)}{hint}")
