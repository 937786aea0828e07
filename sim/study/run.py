"""One run of one variant: expand its plan, simulate it, and hand over what was recorded and measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sim.measure.facts import Totals
from sim.measure.recording.recorder import Recorder
from sim.measure.result import RunResult, measured
from sim.programs.at_work import Programs
from sim.routing.clients import TooManyRequests
from sim.scenario import Scenario, ScenarioFile, make_plan
from sim.simulated.kernel.livelock import Livelock
from sim.simulated.machine import IDEAL, Machine
from sim.simulated.world import World
from sim.study.scenarios import as_loaded, checked_variant, variant_of_policy


def run(
    file: ScenarioFile | str | Path,
    variant: str | None = None,
    seed: int | None = None,
    observers: Sequence[object] = (),
    *,
    policies: Mapping[str, object] | None = None,
    allow_code: bool = False,
) -> RunResult:
    """Run one variant of a scenario, given by its path or as `load` returned it, on the scenario's seed unless given.

    The variant may be left out if there is only one, or if one policy is handed over and only one variant names it.
    Each observer is told every decision and event as it happens; see `Observer`. `policies` and `allow_code` are those
    of `load`.

    Raises NoSuchVariant, ScenarioError if the file cannot be used, ValueError for a seed that is not from 0 to
    2^64 - 1, and TypeError for an object that is no observer.
    """
    loaded = as_loaded(file, policies, allow_code=allow_code)
    if variant is None and policies is not None and len(policies) == 1:
        variant = variant_of_policy(loaded, next(iter(policies)))
    name = checked_variant(loaded, variant)
    return run_scenario(loaded.variants[name], name, seed, observers)


def run_scenario(
    scenario: Scenario,
    variant: str = "default",
    seed: int | None = None,
    observers: Sequence[object] = (),
    machine: Machine = IDEAL,
) -> RunResult:
    """Run a complete scenario; the result is a pure function of the scenario, the seed and the machine.

    Raises Livelock if the run has no end, because time stands still in it, TooManyRequests if its clients send far
    more requests than were to be expected, and PolicyError if a policy fails.
    """
    if seed is not None:
        scenario = scenario.model_copy(update={"seed": seed})
    recorder = Recorder()
    with Programs() as programs:
        world = World(make_plan(scenario, scenario.seed), [recorder, *observers], programs, machine)
        try:
            world.run()
        except (Livelock, TooManyRequests) as error:
            raise type(error)(f"{scenario.name}, variant {variant}, seed {scenario.seed}: {error}") from None
    totals = Totals(
        transactions=world.transactions,
        floor_hits=world.parts.database.table.floor_hits,
        final_in_flight=world.parts.database.table.total_in_flight(),
        drift_ns=world.parts.database.table.drift_ns(),
        end_ns=world.parts.runtime.now_ns(),
    )
    return measured(scenario, variant, recorder.records, totals)
