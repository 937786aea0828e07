"""Follow pages as a reader does: `python -m tests.docs.follow tutorial/check-your-router-in-ci`.

Each command has to end as the page says, and to print what the page shows.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cli.command import environment
from tests.docs.pages import ROOT, page
from tests.docs.steps import LeaveOut, Run, See, Step, Write, steps

_LIMIT_S = 1800
"""How long one command may take. The longest takes some minutes on a free machine."""


def prepare(folder: Path) -> None:
    """Make the folder what a reader has: the scenarios of a clone, and `sim` in its virtual environment."""
    shutil.copytree(ROOT / "scenarios", folder / "scenarios")
    (folder / ".venv").symlink_to(sys.prefix)


def follow(page_steps: Iterable[Step], folder: Path) -> None:
    """Take the steps in the folder. Raise AssertionError at the first one that comes out otherwise."""
    shown = ""
    for step in page_steps:
        match step:
            case Write(name, content):
                (folder / name).write_text(content, encoding="utf-8")
            case Run(line) if line.startswith("cd "):
                folder /= line.removeprefix("cd ")
            case Run(line, exit_code):
                shown = _run(line, exit_code, folder)
            case See(lines):
                missing = [line for line in lines if line not in shown]
                assert missing == [], f"not shown: {missing}\n{shown}"
            case LeaveOut(block, reason):
                print(f"left out, {reason}:\n{block}", end="", flush=True)


def _run(line: str, exit_code: int, folder: Path) -> str:
    """Run a line of the shell and return what it prints."""
    print(f"$ {line}", flush=True)
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    told = f"`{line}` ended with {done.returncode}, not {exit_code}\n{done.stdout}{done.stderr}"
    assert done.returncode == exit_code, told
    return done.stdout


def _environment() -> dict[str, str]:
    """That of a reader who has called `source .venv/bin/activate`, at a wide terminal, and not within a test."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    of_a_reader = environment({"PATH": path, "COLUMNS": "120"})
    return {key: value for key, value in of_a_reader.items() if not key.startswith("PYTEST_")}


if __name__ == "__main__":
    for page_name in sys.argv[1:]:
        with TemporaryDirectory() as directory:
            prepare(Path(directory))
            follow(steps(page(page_name)), Path(directory))
