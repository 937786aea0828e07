"""A folder of many runs: summary.json, and <scenario>/<variant>/seed-<n>/ for each run."""

import re
from collections.abc import Sequence
from pathlib import Path

from sim.measure.saved.staged_files import StagedFiles
from sim.scenario import ScenarioFile
from sim.study.errors import OutFolderRefused


def prepare(out: Path, files: Sequence[ScenarioFile], *, overwrite: bool) -> None:
    """Make the folder. Raises OutFolderRefused if it would mix results, or cannot be made or read."""
    taken: dict[str, ScenarioFile] = {}
    for file in files:
        other = taken.setdefault(_folder_name(file.name), file)
        if other is not file:
            raise OutFolderRefused(f"{other.path} and {file.path} would share a folder; allowed: different names")
    try:
        if out.exists() and not out.is_dir():
            raise OutFolderRefused(f"{out} is not a folder; allowed: a new or empty folder")
        out.mkdir(parents=True, exist_ok=True)
        if not overwrite and any(out.iterdir()):
            raise OutFolderRefused(f"{out} is not empty; allowed: a new or empty folder, or --overwrite")
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise OutFolderRefused(f"{out} cannot be used: {reason}; allowed: a folder that can be made") from None


def run_folder(out: Path, scenario: str, variant: str, seed: int) -> Path:
    """Return the folder of one run."""
    return out / _folder_name(scenario) / variant / f"seed-{seed}"


def save_summary(out: Path, content: str) -> None:
    """Write the document of all runs, when they are all written. Raises CannotWrite."""
    with StagedFiles(out) as files:
        files.add_text("summary.json", f"{content}\n")


def _folder_name(scenario: str) -> str:
    # A scenario's name may hold slashes and colons, which mean something in a path.
    return re.sub("[/:]", "_", scenario)
