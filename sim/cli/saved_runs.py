"""The runs that a command takes from folders of results."""

from collections.abc import Sequence
from pathlib import Path

from sim.cli.process.exits import BadInput
from sim.measure.saved.result_folder import BadResultFolder, SavedRun, read_result_folder


def saved_runs(folders: Sequence[Path]) -> list[SavedRun]:
    """Return the runs of the folders, in their order. BadInput lists the problems of all of them."""
    runs: list[SavedRun] = []
    problems: list[str] = []
    for folder in folders:
        try:
            runs += read_result_folder(folder).runs
        except BadResultFolder as error:
            problems += str(error).splitlines()
    if problems:
        raise BadInput("\n".join(problems))
    return runs
