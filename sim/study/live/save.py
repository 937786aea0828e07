"""The folder of live runs, in the layout of simulated ones."""

from collections.abc import Sequence
from pathlib import Path

from sim.measure.document import document, to_json
from sim.measure.judged_run import JudgedRun
from sim.measure.result import RunResult
from sim.measure.saved.run_folder import save_run
from sim.scenario import ScenarioFile
from sim.study.out_folder import pictures_of, run_folder, save_pictures, save_summary

_PLAN_HEAD = (
    "# A live run's scenario, complete: `sim live plan.yaml` plays it again, `sim run plan.yaml` simulates it.\n"
)


def save_live_runs(
    out: Path, file: ScenarioFile, results: Sequence[RunResult], runs: Sequence[JudgedRun], *, plots: bool = False
) -> None:
    """Write each result with the verdicts on it, and the summary of all; with `plots`, pictures too.

    Raises CannotWrite.
    """
    folders: list[Path] = []
    pictures = pictures_of(results if plots else ())
    for result, run in zip(results, runs, strict=True):
        folder = run_folder(out, file.name, result.variant, result.seed)
        save_run(folder, result, run.verdicts, plan_head=_PLAN_HEAD, pictures=pictures.get(result.variant, {}))
        folders.append(folder)
    save_summary(out, to_json(document(file.name, runs)), folders)
    if plots:
        save_pictures(out, file.name, runs)
