"""`sim new`: a starter, which is a scenario, a picker, their tests and a CI job."""

from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from json import dumps
from pathlib import Path
from shlex import quote
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Final

from sim import __version__
from sim.clean_up import cleaned_up_by
from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import emit
from sim.measure.saved.staged_files import CannotWrite
from sim.scenario import json_schema
from sim.scenario.text.errors import listed

_ABOUT: Final[Mapping[str, str]] = {
    "README.md": "where to go on",
    "balance.yaml": "the scenario: machines, traffic, and what has to hold",
    "picker.py": "the decision: which replica gets a request",
    "test_picker.py": "what else has to hold, in Python",
    "pytest.ini": "lets pytest run the scenario too",
    "requirements.txt": "what CI installs",
    ".github/workflows/balance.yml": "the CI job: tests, and a comment on what a pull request changes",
}
_SCHEMA: Final = "scenario.schema.json"
_ALLOWED: Final = "allowed: a new folder, or an empty one"


def new_command(folder: Path) -> ExitCode:
    """Write the starter to a folder that is new or empty, and tell what it holds. Raises BadInput and CannotWrite."""
    _check_is_free(folder)
    _write(folder, {name: _text(name) for name in _ABOUT} | {_SCHEMA: dumps(json_schema(), indent=2) + "\n"})
    about = {**_ABOUT, _SCHEMA: "lets an editor explain and check the scenario"}
    lines = "".join(f"  {name:<{max(map(len, about))}}  {text}\n" for name, text in about.items())
    emit(f"{folder} is a starter:\n{lines}Next, in the environment that sim is in: cd {quote(str(folder))} && pytest\n")
    return ExitCode.HELD


def _text(name: str) -> str:
    text = (files("sim.cli") / "starter" / name).read_text(encoding="utf-8")
    return text.replace("VERSION", __version__)


def _check_is_free(folder: Path) -> None:
    """Raise BadInput if there is anything in the folder but a repository that waits for its first files."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.name != ".git")
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise BadInput(f"{folder} is not a folder; {_ALLOWED}") from None
    except OSError as error:
        raise BadInput(f"{folder} cannot be read: {error.strerror}; {_ALLOWED}") from None
    if names:
        raise BadInput(f"{folder} is not empty; found {listed(names, rest='in it')}; {_ALLOWED}")


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write all of the files or none of them, by name below the folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".new-", dir=folder) as staged, cleaned_up_by(partial(rmtree, staged)):
            for name, text in texts.items():
                path = Path(staged, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            for path in Path(staged).iterdir():
                path.rename(folder / path.name)
    except OSError as error:
        raise CannotWrite(f"cannot write to {folder}: {error.strerror or error}") from None
