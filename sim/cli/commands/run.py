"""`sim run`: run the chosen variants on each seed, show the results, and return the verdict as the exit code."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sim.cli.commands.run_reports import RunReports, ScenarioRuns
from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import complain, emit
from sim.cli.process.progress import progress
from sim.cli.process.workers import processes_for, workers
from sim.measure.document import document, to_json
from sim.measure.judged_run import JudgedRun
from sim.measure.over_seeds import verdicts_of_variants
from sim.scenario import ScenarioFile
from sim.study.batch import Job, RunSpec, jobs_of, run_batch
from sim.study.errors import OutFolderRefused
from sim.study.out_folder import claimed, save_pictures, save_summary
from sim.study.selection import RunSelection

if TYPE_CHECKING:
    from sim.measure.changes.baseline_changes import BaselineChange


def run_command(
    files: Sequence[ScenarioFile],
    selection: RunSelection,
    *,
    out: Path | None,
    overwrite: bool,
    plots: bool,
    as_json: bool,
    processes: int | None,
    twice: bool,
    reports: RunReports,
) -> ExitCode:
    """Do the runs and return the exit code.

    Raises BadInput before anything runs; CannotWrite, WorkerDied and, of runs that are made twice, NotTheSameRun later.
    """
    jobs = [job for file in files for job in jobs_of(file, selection, out, twice=twice, plots=plots)]
    with ExitStack() as stack:
        if out is not None:
            claim_out(out, files, stack, overwrite=overwrite)
        return _run(files, jobs, selection, out, processes, reports, as_json=as_json)


def _run(
    files: Sequence[ScenarioFile],
    jobs: Sequence[Job],
    selection: RunSelection,
    out: Path | None,
    processes: int | None,
    reports: RunReports,
    *,
    as_json: bool,
) -> ExitCode:
    for file in files:
        _tell_of_more_seeds(file, selection)
    done_files: list[ScenarioRuns] = []
    summaries: list[str] = []
    codes: dict[Path, ExitCode] = {}
    number_of_runs = sum(len(job.runs) for job in jobs)
    with progress(number_of_runs) as display, workers(processes_for(jobs, processes)) as executor:
        done = run_batch(jobs, executor, display)
        for file in files:
            runs = [one for of_job in islice(done, selection.seeds(file)) for one in of_job]
            done_files.append(ScenarioRuns(file, runs))
            summaries.append(to_json(document(file.name, runs)))
            with display.put_aside():
                if not as_json:
                    emit("\n" if codes else "")
                    show_table(file, runs)
                codes[file.path] = judged(file, runs)
    content = summaries[0] if len(files) == 1 else "[" + ",\n".join(summaries) + "]"
    if out is not None:
        _save(out, content, [run for job in jobs for run in job.runs], done_files)
    if as_json:
        emit(f"{content}\n")
    elif len(files) > 1:
        emit(f"\n{_summary(codes)}\n")
    return _worst(*codes.values(), _beside_baseline(reports.write(done_files), complain if as_json else _emit_line))


def _save(out: Path, summary: str, specs: Sequence[RunSpec], scenarios: Sequence[ScenarioRuns]) -> None:
    """Write what is about all runs; each of them is written already."""
    save_summary(out, summary, [one.folder for one in specs if one.folder is not None])
    if any(one.is_drawn for one in specs):
        for scenario in scenarios:
            save_pictures(out, scenario.file.name, scenario.runs)


def _beside_baseline(changes: "Sequence[BaselineChange]", tell: Callable[[str], None]) -> ExitCode:
    for line in (line for one in changes for line in one.lines):
        tell(line)
    return ExitCode.BROKEN if any(one.has_failed for one in changes) else ExitCode.HELD


def _emit_line(line: str) -> None:
    emit(f"{line}\n")


def claim_out(out: Path, files: Sequence[ScenarioFile], stack: ExitStack, *, overwrite: bool) -> None:
    """Keep the folder for this command until the stack ends. Raises BadInput."""
    try:
        stack.enter_context(claimed(out, files, overwrite=overwrite))
    except OutFolderRefused as error:
        raise BadInput(f"--out: {error}") from None


def _tell_of_more_seeds(file: ScenarioFile, selection: RunSelection) -> None:
    seeds = selection.seeds(file)
    if selection.repetitions is not None and selection.repetitions < seeds:
        complain(f"{file.path}: runs {seeds} seeds, not {selection.repetitions}: an expectation is judged over as many")


def show_table(file: ScenarioFile, runs: Sequence[JudgedRun]) -> None:
    """Print the runs of a scenario side by side."""
    # Imported here, because `--json` does not need rich.
    from sim.cli.process.console import show
    from sim.report.column import columns
    from sim.report.terminal.table import ScenarioTable

    show(ScenarioTable.of(file, columns(runs)))


def judged(file: ScenarioFile, runs: Sequence[JudgedRun]) -> ExitCode:
    """Return the verdict on the scenario's runs, and tell the user if nothing was run or checked."""
    idle = [
        one for one in runs if not one.metrics["requests.offered"] and file.variants[one.variant].control_plane is None
    ]
    passed = [verdict.passed for verdict in verdicts_of_variants(runs)]
    if False in passed and len(idle) < len(runs):
        return ExitCode.BROKEN
    if idle:
        one = idle[0]
        complain(f"{file.path}: no request arrived in variant {one.variant}, seed {one.seed}: nothing was checked")
        return ExitCode.NOTHING
    if file.expect and True not in passed:
        why = "could be checked on what was run" if passed else "is about the variants that were run"
        complain(f"{file.path}: none of its expectations {why}: nothing was checked")
        return ExitCode.NOTHING
    return ExitCode.HELD


def _summary(codes: Mapping[Path, ExitCode]) -> str:
    """Return how many scenarios did what they expect, and which did not."""
    others = [str(path) for path, code in codes.items() if code is not ExitCode.HELD]
    count = f"{len(codes) - len(others)} of {len(codes)} scenarios do what they expect"
    return f"{count}; not: {', '.join(others)}" if others else count


def _worst(*codes: ExitCode) -> ExitCode:
    """Return the worst of the codes: a broken expectation is worse than nothing checked."""
    return max(codes, key=(ExitCode.HELD, ExitCode.NOTHING, ExitCode.BROKEN).index)
