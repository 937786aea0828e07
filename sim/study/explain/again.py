"""A run made again, told to whoever looks closer this time. It has to come out as it did."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sim.measure.result import RunResult
from sim.measure.saved.run_folder import PLAN, read
from sim.scenario import Scenario
from sim.scenario.spec.schema import with_policies
from sim.study.errors import NotTheSameRun
from sim.study.run import run_scenario
from sim.study.scenarios import load

MakeRun = Callable[[Sequence[object]], RunResult]
"""Makes a run that these observers are told of."""


def run_again(
    run: RunResult | str | Path,
    observers: Sequence[object] = (),
    *,
    allow_dirs: Sequence[str | Path] = (),
    allow_code: bool = False,
) -> RunResult:
    """Make a run again, given as its result or as the folder that it was saved to; the observers are told of it.

    `allow_dirs` and `allow_code` are those of `load`; a folder needs them if its run needed them.

    Raises NotTheSameRun if the run comes out otherwise, BadRunFolder, ScenarioError if the plan in the folder cannot be
    used here, and TypeError for a result that was read from a folder: the folder itself is needed.
    """
    if isinstance(run, RunResult):
        before, plan = run, run.plan
    else:
        before, plan = read(run), _plan_in(Path(run), allow_dirs, allow_code=allow_code)
    if not isinstance(plan, Scenario):
        raise TypeError("found a result that was read from a folder; allowed: that folder itself, or a result of run()")
    again = run_scenario(plan, before.variant, before.seed, observers)
    if again.digest != before.digest:
        raise NotTheSameRun(
            f"{before.name} comes out otherwise now: its digest was {before.digest}, and is {again.digest}; the code "
            "of sim or of the policy has changed since, or it was a live run"
        )
    return again


def _plan_in(folder: Path, allow_dirs: Sequence[str | Path], *, allow_code: bool) -> Scenario:
    """Return the plan of a saved run. It names a policy's file as seen from the run's folder; we, from where we are."""
    plan = load(folder / PLAN, (), allow_dirs, allow_code=allow_code).variants["default"]
    return with_policies(plan, lambda policy, _: policy.seen_from(Path.cwd()))
