"""The folder of live runs, in the layout of simulated ones."""

from collections.abc import Sequence
from pathlib import Path

from sim.measure.document import document, to_json
from sim.measure.judged_run import JudgedRun
from sim.measure.result import RunResult
from sim.measure.saved.run_folder import save_run
from sim.scenario import ScenarioFile
from sim.study.out_folder import run_folder, save_summary

_PLAN_HEAD = (
    "# A live run's scenario, complete: `sim live plan.yaml` plays it again, `sim run plan.yaml` simulates it.\n"
)


def save_live_runs(out: Path, file: ScenarioFile, results: Sequence[RunResult], runs: Sequence[JudgedRun]) -> None:
    """Write each result with the verdicts on it, and the summary of all. Raises CannotWrite."""
    folders: list[Path] = []
    for result, run in zip(results, runs, strict=True):
        folder = run_folder(out, file.name, result.variant, result.seed)
        save_run(folder, result, run.verdicts, plan_head=_PLAN_HEAD)
        folders.append(folder)
    save_summary(out, to_json(document(file.name, runs)), folders)
