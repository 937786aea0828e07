"""Reports that a command writes beside its output: to files the user names, and to the summary of a CI job."""

import os
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
    if not folder.is_dir():
        raise BadInput(f"{option}: {folder} is not a folder; allowed: a file in a folder that exists")
    if not os.access(folder, os.W_OK):
        raise BadInput(f"{option}: nothing can be written to {folder}; allowed: a folder that can be written to")


def write_report(path: Path, text: str) -> None:
    """Write the file whole or not at all. Raises CannotWrite."""
    with StagedFiles(path.parent) as files:
        files.add_text(path.name, text)


def step_summary() -> Path | None:
    """Return the file whose Markdown GitHub shows with a job's step; None elsewhere."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    return Path(name) if name else None


def add_to_step_summary(path: Path, markdown: str) -> None:
    """Append to the summary. That it cannot be written is told, and is no failure of the command."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(markdown + "\n")
    except OSError as error:
        complain(f"GITHUB_STEP_SUMMARY: cannot write to {path}: {error.strerror}")
