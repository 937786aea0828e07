"""A run made again, told to whoever looks closer this time. It has to come out as it did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sim.measure.recording.choices import ChoiceLog
from sim.measure.result import RunResult
from sim.measure.saved.run_folder import PLAN, read
from sim.scenario import Scenario
from sim.study.errors import NotTheSameRun
from sim.study.run import run_scenario
from sim.study.scenarios import load

if TYPE_CHECKING:
    import pandas as pd

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
        before, plan = read(run), load(Path(run, PLAN), (), allow_dirs, allow_code=allow_code).variants["default"]
    if not isinstance(plan, Scenario):
        raise TypeError("found a result that was read from a folder; allowed: that folder itself, or a result of run()")
    again = run_scenario(plan, before.variant, before.seed, observers)
    if again.digest != before.digest:
        raise NotTheSameRun(
            f"{before.name} comes out otherwise now: its digest was {before.digest}, and is {again.digest}; the code "
            "of sim or of the policy has changed since, or it was a live run"
        )
    return again


@dataclass(frozen=True, slots=True)
class CloserLook:
    """A run with what each of its picks was made from."""

    result: RunResult
    choices: "pd.DataFrame"
    """One row for each replica that a pick could take, as `sim.measure.tables.choices` returns them."""


def look_closer(
    run: RunResult | str | Path, *, allow_dirs: Sequence[str | Path] = (), allow_code: bool = False
) -> CloserLook:
    """Make a run again, and write down what each pick was made from. Arguments and errors are those of `run_again`."""
    # Here, because it imports pandas.
    from sim.measure.tables import choices

    log = ChoiceLog()
    result = run_again(run, [log], allow_dirs=allow_dirs, allow_code=allow_code)
    return CloserLook(result, choices(log.table, log.replicas, result.facts))
