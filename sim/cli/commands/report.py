"""`sim report`: runs in a form to look at."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.report_files import check_report_file, write_report
from sim.cli.saved_runs import result_folders
from sim.measure.saved.result_folder import ResultFolder
from sim.measure.saved.run_folder import BadRunFolder, read


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where each form of the report goes; None for one that is not wanted."""

    html: Path | None = None
    markdown: Path | None = None
    trace: Path | None = None

    def check(self) -> None:
        """Raise BadInput if nothing is wanted, or something cannot be written."""
        options = {f"--{one.name}": getattr(self, one.name) for one in fields(self)}
        wanted = {option: path for option, path in options.items() if path is not None}
        if not wanted:
            allowed = ", ".join(f"{option} FILE" for option in options)
            raise BadInput(f"no form of the report is asked for; allowed: {allowed}")
        for option, path in wanted.items():
            check_report_file(option, path)
        if len({path.resolve() for path in wanted.values()}) < len(wanted):
            raise BadInput(f"two of {', '.join(wanted)} name the same file; allowed: a file for each")

    def write(self, folders: Sequence[ResultFolder]) -> None:
        """Write what is wanted, each file whole or not at all. Raises CannotWrite, and BadRunFolder before anything."""
        # Each form is imported when it is wanted.
        texts: dict[Path, str] = {}
        if self.html is not None:
            from sim.study.reports.result_page import result_page

            texts[self.html] = result_page(folders)
        if self.markdown is not None:
            from sim.report.ci.run_markdown import run_markdown
            from sim.study.reports.reported import reported, table_of

            texts[self.markdown] = run_markdown([table_of(one) for one in reported(folders)])
        traced = [] if self.trace is None else [read(run.folder) for folder in folders for run in folder.runs]
        for path, text in texts.items():
            write_report(path, text)
        if self.trace is not None:
            from sim.report.trace.file import write_trace

            write_trace(self.trace, traced)


def report_command(
    paths: Sequence[Path], files: ReportFiles, allow_dirs: Sequence[Path], *, allow_code: bool
) -> ExitCode:
    """Write what is asked for and return the exit code. Raises BadInput before anything is run or written."""
    files.check()
    with ExitStack() as stack:
        folders = result_folders(paths, stack, allow_dirs, allow_code=allow_code)
        try:
            files.write(folders)
        except BadRunFolder as error:
            raise BadInput(str(error)) from None
    return ExitCode.HELD
