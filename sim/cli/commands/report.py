"""`sim report`: saved runs in a form to look at."""

from collections.abc import Sequence
from pathlib import Path

from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.report_files import check_report_file
from sim.cli.saved_runs import saved_runs
from sim.measure.saved.run_folder import BadRunFolder, read


def report_command(folders: Sequence[Path], *, trace: Path | None) -> ExitCode:
    """Write what is asked for and return the exit code. Raises BadInput before anything is written."""
    if trace is None:
        raise BadInput("there is nothing to write; allowed: --trace FILE")
    check_report_file("--trace", trace)
    runs = saved_runs(folders)
    try:
        results = [read(run.folder) for run in runs]
    except BadRunFolder as error:
        raise BadInput(str(error)) from None
    # Here, because a mistake is reported without this wait.
    from sim.report.trace.file import write_trace

    write_trace(trace, results)
    return ExitCode.HELD
