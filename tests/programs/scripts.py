"""Programs for tests: small ones that are written beside a scenario, and those that the project ships."""

import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sim.routing.policies.port import PolicyClock, PolicyContext

PICKERS = Path(__file__).parents[2] / "scenarios" / "pickers"

SHELL, PYTHON = "/bin/sh", "/usr/bin/env -S python3 -IS"

LOG = """
import json, os, sys

log = open("log.txt", "a")
for line in sys.stdin:
    content = json.loads(line)
    print(json.dumps(content), file=log, flush=True)
    if "candidates" in content:
        print(json.dumps({"index": 0, "tell": TOLD}), flush=True)
"""
"""Takes the first candidate, wants to be told of TOLD, and writes down each line that it reads."""


def program(folder: Path, text: str, *, name: str = "picker", interpreter: str = SHELL) -> Path:
    """Write an executable program that first writes its number down, a line in `pids.txt` beside it."""
    note = {SHELL: "echo $$ >>pids.txt", PYTHON: "import os\nprint(os.getpid(), file=open('pids.txt', 'a'))"}
    path = folder / name
    path.write_text(f"#!{interpreter}\n{note[interpreter]}\n{text}\n")
    path.chmod(0o755)
    return path


def each_line(command: str) -> str:
    """Return what does the command for each line that it reads."""
    return f"while read -r line; do {command}; done"


def context(frontend: int = 0, seed: int = 1, **parameters: Any) -> PolicyContext:
    """Return what a policy is told when it starts, at a time that stands still."""
    return PolicyContext(frontend, PolicyClock(lambda: 42), Random(seed), parameters)


def pids(folder: Path) -> list[int]:
    """Return the numbers of the programs that were started there, in that order."""
    path = folder / "pids.txt"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def is_running(pid: int) -> bool:
    """Tell whether there is such a process; one that has ended and that nobody has waited for is none."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def install(name: str, to: Path) -> None:
    """Put a shipped picker there, ready to run; skip the test where its language is not installed."""
    needed = {".c": "cc", ".js": "node", ".py": "python3"}[Path(name).suffix]
    if shutil.which(needed) is None:
        pytest.skip(f"{needed} is not installed")
    if needed == "cc":
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", to, PICKERS / name], check=True)
    else:
        shutil.copy(PICKERS / name, to)
