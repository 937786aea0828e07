"""Which files a folder stands for on the command line."""

from collections.abc import Iterator, Sequence
from os.path import isdir
from pathlib import Path

from sim.cli.process.exits import BadInput
from sim.cli.process.output import complain


def files_below(folder: Path) -> Iterator[Path]:
    """Yield YAML files in order of their names, without hidden files and folders such as a virtual environment."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in (".yaml", ".yml") and not hidden and path.is_file():
            yield path


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
