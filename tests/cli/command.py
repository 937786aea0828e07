"""What the tests of the command share: running it, here or in its own process, and a scenario that takes no time."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

from sim.cli import main
from tests.waiting import LIMIT_S

BURST = "kind: burst, model: qwen3, at: 1s, requests: 4, spread: 2s"
SMALL = f"""
name: small
about: Four requests on two replicas.
seed: 3
duration: 1m
nodes: [{{name: spark}}, {{name: thor}}]
models: [{{name: qwen3, service: {{mean: 1s}}, replicas: [{{node: spark}}, {{node: thor}}]}}]
workload: [{{{BURST}}}]
variants: {{pinned: {{router: {{profile: pinned}}}}, fixed: {{}}}}
"""
HELD = "expect: [{variant: fixed, metric: requests.completed, min: 4}]\n"
BROKEN = "expect: [{variant: fixed, metric: requests.completed, min: 5}]\n"

# Two hours of a queue that only grows: it is still at work when a signal comes.
ENDLESS = """
name: endless
duration: 2h
nodes: [{name: spark}]
models: [{name: qwen3, service: {mean: 100ms}, replicas: [{node: spark}]}]
workload: [{kind: poisson, model: qwen3, rate: 100/s}]
"""

_OF_THE_CALLER = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "GITHUB_STEP_SUMMARY")
"""What would change how things are shown, or write to the summary of the job that runs the tests."""

# Python ignores Ctrl-C if it was started by a shell in the background, as tests may be.
START = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from sim.cli import main
main()
"""


def little_room(file_bytes: int) -> str:
    """A start with room for files of so many bytes."""
    # No byte code is written: what does not fit is cut short, and no later process could import such a module.
    limit = f"sys.dont_write_bytecode = True; resource.setrlimit(resource.RLIMIT_FSIZE, ({file_bytes}, {file_bytes}))"
    return f"import resource, sys; {limit}\n{START}"


def command(*arguments: str | Path, flags: Sequence[str] = (), start: str = START) -> list[str]:
    return [sys.executable, *flags, "-c", start, *map(str, arguments)]


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command that nobody has set up."""
    kept = {key: value for key, value in os.environ.items() if key not in _OF_THE_CALLER}
    return {**kept, **changes}


def sim(*arguments: str | Path, folder: Path | None = None, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end within this process, which spares the second that a start takes.

    It gets its own arguments, folder, environment and outputs, and ends as a process would. The processes that it
    starts are real ones. What Python reads at its own start, such as PYTHONHASHSEED, needs `sim_process`.
    """
    output, errors = _Output(), _Output()
    with (
        chdir(folder or "."),
        patch.object(sys, "argv", ["sim", *map(str, arguments)]),
        # Of a pipe, whatever terminal the tests run at.
        patch.dict(os.environ, environment({"COLUMNS": "80", **changes}), clear=True),
        _alarm(f"sim {' '.join(map(str, arguments))}"),
        _signals_as_before(),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(arguments, code, output.text(), errors.text())


def sim_process(
    *arguments: str | Path,
    flags: Sequence[str] = (),
    start: str = START,
    folder: Path | None = None,
    **changes: str,
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in a process of its own."""
    return subprocess.run(
        command(*arguments, flags=flags, start=start),
        env=environment(changes),
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def started(*arguments: str | Path, folder: Path) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment({}),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )


def sim_json(*arguments: str | Path, folder: Path | None = None) -> Any:
    """Run `sim run ... --json` and return the document; it has to be all of the output."""
    return json.loads(sim("run", *arguments, "--json", folder=folder).stdout)


def sim_process_json(
    *arguments: str | Path, flags: Sequence[str] = (), folder: Path | None = None, **changes: str
) -> Any:
    """Do the same in a process of its own."""
    return json.loads(sim_process("run", *arguments, "--json", flags=flags, folder=folder, **changes).stdout)


def written(folder: Path) -> list[str]:
    """Everything below a folder, by relative name."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


class _Output(TextIOWrapper):
    """A standard output that keeps what is written to it."""

    def __init__(self) -> None:
        self._bytes = BytesIO()
        super().__init__(self._bytes, encoding="utf-8")

    def text(self) -> str:
        self.flush()
        return self._bytes.getvalue().decode()


@contextmanager
def _signals_as_before() -> Iterator[None]:
    """Take back what the command does on signals."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def _alarm(what: str) -> Iterator[None]:
    """Raise AssertionError if what runs within the block does not end."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"waited {LIMIT_S} s for `{what}` to end")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
