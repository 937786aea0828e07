"""Which files a folder stands for on the command line."""

from collections.abc import Sequence
from os.path import isdir
from pathlib import Path

from sim.cli.process.exits import BadInput
from sim.cli.process.output import complain
from sim.study.scenarios import files_below


def check_folder(folder: str | Path, option: str = "") -> None:
    """Raise BadInput if this is no folder; `option` is what the message begins with."""
    if not isdir(folder):
        raise BadInput(f"{option}{folder} is not a folder; allowed: a folder with scenario files")


def expanded(paths: Sequence[Path]) -> list[Path]:
    """Return the files, and in place of each folder those that are directly in it; tell the user how many these are.

    Raises BadInput for a folder without any.
    """
    return [file for path in paths for file in (_files_in(path) if isdir(path) else [path])]


def _files_in(folder: Path) -> list[Path]:
    below = list(files_below(folder))
    inside = [path for path in below if path.parent == folder]
    deeper = len(below) - len(inside)
    left_out = f"; {deeper} in folders below it {'is' if deeper == 1 else 'are'} left out" if deeper else ""
    if not inside:
        raise BadInput(
            f"{folder} holds no scenario files (.yaml or .yml){left_out}; allowed: a file, or a folder of them"
        )
    complain(f"{folder}: {len(inside)} scenario file{'' if len(inside) == 1 else 's'}{left_out}")
    return inside
