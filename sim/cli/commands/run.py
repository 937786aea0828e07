"""`sim run`: run the chosen variants on each seed, show the results, and return the verdict as the exit code."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from sim.cli.choice import Choice
from sim.cli.out_folder import prepare, run_folder, save_summary
from sim.cli.process.exits import ExitCode
from sim.cli.process.output import complain, emit
from sim.cli.process.progress import progress
from sim.cli.work import Figures, Job, Run, columns, summary
from sim.cli.workers import do_all
from sim.scenario import ScenarioFile


def run_command(
    files: Sequence[ScenarioFile],
    choice: Choice,
    *,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    processes: int,
) -> ExitCode:
    """Do the runs and return the exit code. Raises BadInput before anything runs, CannotWrite and WorkerDied later."""
    if out is not None:
        prepare(out, files, overwrite=overwrite)
    jobs = [job for file in files for job in _jobs(file, choice, out)]
    summaries, code = [], ExitCode.HELD
    with progress(len(jobs)) as display, closing(do_all(jobs, processes, display)) as done:
        for file in files:
            figures = [one for of_job in islice(done, choice.repetitions) for one in of_job]
            summaries.append(summary(file.name, figures))
            with display.put_aside():
                if not as_json:
                    show_table(file, figures)
                code = _worse(code, judged(file, figures))
    content = summaries[0] if len(files) == 1 else "[" + ",\n".join(summaries) + "]"
    if out is not None:
        save_summary(out, content)
    if as_json:
        emit(f"{content}\n")
    return code


def _jobs(file: ScenarioFile, choice: Choice, out: Path | None) -> Iterator[Job]:
    for number in range(choice.repetitions):
        seeds = {variant: first + number for variant, first in choice.first_seeds(file).items()}
        yield Job(
            file,
            tuple(
                Run(variant, seed, None if out is None else run_folder(out, file.name, variant, seed))
                for variant, seed in seeds.items()
            ),
        )


def show_table(file: ScenarioFile, figures: Sequence[Figures]) -> None:
    """Print the runs of a scenario side by side."""
    # Imported here, because `--json` does not need rich.
    from sim.cli.process.console import show
    from sim.report.table import ScenarioTable

    show(ScenarioTable.of(file, columns(figures)))


def judged(file: ScenarioFile, figures: Sequence[Figures]) -> ExitCode:
    """Return the verdict on the scenario's runs, and tell the user if nothing was run or checked."""
    idle = [
        one
        for one in figures
        if not one.metrics["requests.offered"] and file.variants[one.variant].control_plane is None
    ]
    passed = [verdict.passed for one in figures if one not in idle for verdict in one.verdicts]
    if False in passed:
        return ExitCode.BROKEN
    if idle:
        one = idle[0]
        complain(f"{file.path}: no request arrived in variant {one.variant}, seed {one.seed}: nothing was checked")
        return ExitCode.NOTHING
    if file.expect and True not in passed:
        complain(f"{file.path}: none of its expectations is about the variants that were run: nothing was checked")
        return ExitCode.NOTHING
    return ExitCode.HELD


def _worse(one: ExitCode, other: ExitCode) -> ExitCode:
    """Return the worse of two codes: a broken expectation is worse than nothing checked."""
    return max(one, other, key=(ExitCode.HELD, ExitCode.NOTHING, ExitCode.BROKEN).index)
