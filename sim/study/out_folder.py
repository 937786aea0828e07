"""A folder of many runs: summary.json, and <scenario>/<variant>/seed-<n>/ for each run."""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sim.measure.judged_run import JudgedRun
from sim.measure.result import RunResult
from sim.measure.saved.run_folder import read, remove_run
from sim.measure.saved.staged_files import StagedFiles, remove_files, remove_leftovers
from sim.scenario import ScenarioFile
from sim.study.errors import OutFolderRefused

_SUMMARY = "summary.json"
PICTURES = ("latency.svg", "percentiles.svg")
"""Files that a scenario's folder may have."""


@contextmanager
def claimed(out: Path, files: Sequence[ScenarioFile], *, overwrite: bool) -> Iterator[None]:
    """Make the folder, and keep other commands out of it within the block, however this one ends.

    Raises OutFolderRefused if it would mix results, or cannot be made or read.
    """
    _check_names(files)
    try:
        lock = _locked(out)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise OutFolderRefused(f"{out} cannot be used: {reason}; allowed: a folder that can be made") from None
    try:
        _check_content(out, overwrite=overwrite)
        yield
    finally:
        os.close(lock)


def run_folder(out: Path, scenario: str, variant: str, seed: int) -> Path:
    """Return the folder of one run."""
    return out / _folder_name(scenario) / variant / f"seed-{seed}"


def save_summary(out: Path, content: str, runs: Sequence[Path]) -> None:
    """Write the document of all runs, when they are all written, and delete runs that it does not tell of.

    `runs` are the folders of those that it tells of. Pictures of scenarios are deleted as well, because they show
    the runs of before. Raises CannotWrite.
    """
    there = [folder for folder in sorted(out.glob("*/*/seed-*")) if re.fullmatch("seed-[0-9]+", folder.name)]
    for scenario in dict.fromkeys(folder.parent.parent for folder in there):
        remove_files(scenario, PICTURES)
    kept = set(runs)
    for folder in there:
        if folder not in kept:
            remove_run(folder)
    with StagedFiles(out) as files:
        files.add_text(_SUMMARY, f"{content}\n")


def pictures_of(results: Sequence[RunResult]) -> dict[str, dict[str, str]]:
    """Return the pictures of runs of different variants, by variant and file name."""
    if not results:
        return {}
    # Here, because most runs are not drawn.
    from sim.report.plots.pictures import run_pictures

    return run_pictures(results)


def save_pictures(out: Path, scenario: str, runs: Sequence[JudgedRun]) -> None:
    """Draw the runs of a scenario's variants side by side, from their folders below `out`. Raises CannotWrite."""
    # Here, because most runs are not drawn.
    from sim.report.plots.pictures import variant_pictures

    pictures = variant_pictures(runs, lambda run: read(run_folder(out, scenario, *run)))
    with StagedFiles(out / _folder_name(scenario)) as files:
        for name, picture in pictures.items():
            files.add_text(name, picture)


def _check_names(files: Sequence[ScenarioFile]) -> None:
    taken: dict[str, ScenarioFile] = {}
    for file in files:
        name = _folder_name(file.name)
        if name == _SUMMARY:
            raise OutFolderRefused(f"the scenario of {file.path} is called {name}; allowed: a name of no file of ours")
        other = taken.setdefault(name, file)
        if other is not file:
            raise OutFolderRefused(f"{other.path} and {file.path} would share a folder; allowed: different names")


def _locked(out: Path) -> int:
    """Return the folder, made if need be, opened and locked. The lock ends with the process at the latest."""
    if out.exists() and not out.is_dir():
        raise OutFolderRefused(f"{out} is not a folder; allowed: a new or empty folder")
    out.mkdir(parents=True, exist_ok=True)
    lock = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise OutFolderRefused(f"another command writes to {out} now; allowed: a folder of its own") from None
    return lock


def _check_content(out: Path, *, overwrite: bool) -> None:
    if not os.access(out, os.W_OK):
        raise OutFolderRefused(f"nothing can be written to {out}; allowed: a folder that can be written to")
    if overwrite:
        remove_leftovers(out)
    elif any(out.iterdir()):
        raise OutFolderRefused(f"{out} is not empty; allowed: a new or empty folder, or --overwrite")


def _folder_name(scenario: str) -> str:
    # A scenario's name may hold slashes and colons, which mean something in a path.
    return re.sub("[/:]", "_", scenario)
