"""Folders of results that the user names, read with the problems of all of them at once."""

from collections.abc import Iterable
from pathlib import Path

from sim.cli.process.exits import BadInput
from sim.measure.saved.result_folder import BadResultFolder, ResultFolder, read_result_folder


def read_folders(paths: Iterable[Path]) -> dict[Path, ResultFolder]:
    """Read the folders. BadInput lists the problems of all of them."""
    read: dict[Path, ResultFolder] = {}
    problems: list[str] = []
    for path in paths:
        try:
            read[path] = read_result_folder(path)
        except BadResultFolder as error:
            problems += str(error).splitlines()
    if problems:
        raise BadInput("\n".join(problems))
    return read
