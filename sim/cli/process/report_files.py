"""Reports that a command writes beside its output: to files the user names, and to the summary of a CI job."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from sim.cli.process.exits import BadInput
from sim.cli.process.output import complain
from sim.measure.saved.staged_files import StagedFiles


def check_report_file(option: str, path: Path | None) -> None:
    """Raise BadInput if nothing can be written there, before the work begins. A file that is there is replaced."""
    if path is None:
        return
    folder = path.parent
    if path.is_dir():
        raise BadInput(f"{option}: {path} is a folder; allowed: a file")
    # Writing replaces the path itself. Of /dev/stdout that would be the link or the device, for every program.
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        raise BadInput(f"{option}: {path} is a link or a device; allowed: a regular file, or a new one")
    if not folder.is_dir():
        raise BadInput(f"{option}: {folder} is not a folder; allowed: a file in a folder that exists")
    if not os.access(folder, os.W_OK):
        raise BadInput(f"{option}: nothing can be written to {folder}; allowed: a folder that can be written to")


def write_report(path: Path, text: str) -> None:
    """Write the file whole or not at all. Raises CannotWrite."""
    with StagedFiles(path.parent) as files:
        files.add_text(path.name, text)


def publish(markdown: Callable[[], str], file: Path | None) -> None:
    """Write what belongs in a pull request to the file, if one is named, and to the summary of a GitHub job.

    GitHub shows what is in the file that GITHUB_STEP_SUMMARY names; other steps may write there too, so it is appended.
    Raises CannotWrite for the file; a summary that cannot be written is told, and is no failure of the command.
    """
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if file is None and not summary:
        return
    text = markdown()
    if file is not None:
        write_report(file, text)
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as appended:
                appended.write(f"{text}\n")
        except OSError as error:
            complain(f"GITHUB_STEP_SUMMARY: cannot write to {summary}: {error.strerror}")
