"""The scenario files that a command is to run, read and checked before anything runs."""

from collections.abc import Sequence
from os.path import isdir
from pathlib import Path

from sim.cli.process.exits import BadInput
from sim.scenario import ScenarioError, ScenarioFile
from sim.scenario.text.errors import found
from sim.study.scenarios import load
from sim.study.selection import RunSelection


def load_all(
    paths: Sequence[Path],
    selection: RunSelection,
    sets: Sequence[str],
    allow_dirs: Sequence[Path],
    *,
    allow_code: bool = False,
) -> list[ScenarioFile]:
    """Load every file. BadInput lists all problems of the files and of the selection."""
    files: list[ScenarioFile] = []
    problems = [
        f"--allow-dir: {found(str(folder))} is not a folder; allowed: a folder that exists"
        for folder in allow_dirs
        if not isdir(folder)
    ]
    for path in paths:
        try:
            file = load(path, sets, allow_dirs, allow_code=allow_code)
        except ScenarioError as error:
            problems += str(error).splitlines()
        else:
            files.append(file)
            problems += selection.problems(file)
    if problems:
        # A mistake on the command line shows in every file, and is reported once.
        raise BadInput("\n".join(dict.fromkeys(problems)))
    return files
