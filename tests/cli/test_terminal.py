"""What a person at a terminal sees: colours unless they are not wanted, and progress that leaves no trace."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import BROKEN, SMALL, command, environment
from tests.waiting import LIMIT_S

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)
import pty

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")


def at_a_terminal(*arguments: str, folder: Path, **changes: str) -> tuple[str, str]:
    """Run the command with both outputs at terminals; return what each terminal got."""
    screens = [pty.openpty() for _ in range(2)]
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment({"TERM": "xterm", "COLUMNS": "80", **changes}),
        stdout=screens[0][1],
        stderr=screens[1][1],
        stdin=subprocess.DEVNULL,
    )
    process.wait(timeout=LIMIT_S)
    shown = []
    for master, slave in screens:
        os.close(slave)
        shown.append(_read(master))
        os.close(master)
    return shown[0], shown[1]


def _read(master: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # How Linux says that nobody holds the other end any more.
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL + BROKEN)
    return tmp_path


def test_a_terminal_gets_the_broken_expectation_in_red_and_progress_beside_it(folder: Path) -> None:
    output, errors = at_a_terminal("run", "small.yaml", folder=folder)

    assert "\x1b[1;31m✗ fixed requests.completed: 4, expected >= 5" in output
    assert "0/2" in errors  # It counts runs.
    assert errors.rstrip("\r\n").endswith("\x1b[2K")  # The line of progress is wiped.


def test_no_color_is_honoured(folder: Path) -> None:
    output, errors = at_a_terminal("run", "small.yaml", folder=folder, NO_COLOR="1")

    assert "✗ fixed requests.completed: 4, expected >= 5" in output
    assert not COLOUR.search(output + errors)


def test_json_on_a_terminal_is_as_plain_as_in_a_pipe(folder: Path) -> None:
    output, _ = at_a_terminal("run", "small.yaml", "--json", folder=folder)

    assert output.startswith("{")
    assert "\x1b" not in output
