"""`sim new`: what it writes, what it leaves alone, and that its starter passes, and fails with an unfair picker."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
import yaml

from sim import load, run_all
from sim.cli.process.exits import ExitCode
from tests.cli.command import environment, sim, sim_process, written

pytest_plugins = ["pytester"]

FAIR = "(replica.in_flight, replica.last_used_ns)"
FIRST_OF_THE_IDLE = "replica.in_flight"
FIRST = "0"
FORGETFUL = "(replica.node == 'node-3', replica.in_flight, replica.last_used_ns)"

FILES = [
    ".github",
    ".github/workflows",
    ".github/workflows/balance.yml",
    "README.md",
    "balance.yaml",
    "picker.py",
    "pytest.ini",
    "requirements.txt",
    "scenario.schema.json",
    "test_picker.py",
]


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    assert sim("new", "x", folder=tmp_path).returncode == ExitCode.HELD
    return tmp_path / "x"


def with_key(starter: Path, key: str) -> None:
    """Let the picker order the replicas otherwise."""
    picker = starter / "picker.py"
    text = picker.read_text()
    assert text.count(FAIR) == 1
    picker.write_text(text.replace(FAIR, key))


@pytest.fixture(params=["new", "deep/new", "empty", "."])
def free(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    (tmp_path / "empty").mkdir()
    with chdir(tmp_path / "empty" if request.param == "." else tmp_path):
        yield request.param


def test_the_starter_goes_to_a_folder_that_is_new_or_empty(free: str) -> None:
    done = sim("new", free)

    assert (done.returncode, done.stderr) == (ExitCode.HELD, "")
    assert written(Path(free)) == FILES
    assert [name for name in FILES if "/" not in name and f"  {name} " not in done.stdout] == [".github"]


def test_an_empty_repository_is_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").touch()

    assert sim("new", ".", folder=tmp_path).returncode == ExitCode.HELD
    assert written(tmp_path) == [".git", ".git/config", *FILES]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("full", "full is not empty; found picker.py; allowed: a new folder, or an empty one\n"),
        ("full/picker.py", "full/picker.py is not a folder; allowed: a new folder, or an empty one\n"),
        ("full/picker.py/x", "full/picker.py/x is not a folder; allowed: a new folder, or an empty one\n"),
        ("a" * 300, f"{'a' * 300} cannot be read: File name too long; allowed: a new folder, or an empty one\n"),
    ],
)
def test_what_is_there_stays_as_it_is(tmp_path: Path, target: str, message: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/picker.py").write_text("mine")

    done = sim("new", target, folder=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.BAD_INPUT, "", message)
    assert written(tmp_path) == ["full", "full/picker.py"]
    assert (tmp_path / "full/picker.py").read_text() == "mine"


def test_without_room_nothing_is_left_half_written(tmp_path: Path) -> None:
    little_room = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\nfrom sim.cli import main\nmain()"
    )

    done = sim_process("new", "x", folder=tmp_path, start=little_room)

    assert (done.returncode, done.stdout) == (ExitCode.INTERNAL, "")
    assert done.stderr == "sim: cannot write to x: File too large\n"
    assert written(tmp_path) == ["x"]


def test_the_schema_is_the_one_that_sim_prints(starter: Path) -> None:
    assert (starter / "scenario.schema.json").read_text() == sim("schema").stdout
    assert (starter / "balance.yaml").read_text().startswith("# yaml-language-server: $schema=scenario.schema.json\n")


def test_the_starter_passes_as_it_is_written(starter: Path, pytester: pytest.Pytester) -> None:
    with chdir(starter):
        result = pytester.inline_run()

    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize("unfair", [FIRST_OF_THE_IDLE, FIRST, FORGETFUL])
def test_an_unfair_picker_fails_what_the_scenario_expects(starter: Path, unfair: str) -> None:
    with_key(starter, unfair)

    results = run_all(load(starter / "balance.yaml", allow_code=True), variants=["mine"])

    assert "fairness.jain" in [verdict.metric for verdict in results.failed]


@pytest.mark.slow
def test_the_ci_job_tells_what_a_pull_request_changes(starter: Path, tmp_path: Path) -> None:
    with_key(starter, FIRST_OF_THE_IDLE)
    sim("new", "base", folder=starter)
    workflow = yaml.safe_load((starter / ".github/workflows/balance.yml").read_text())
    [drift] = [step for step in workflow["jobs"]["balance"]["steps"] if step.get("name") == "Drift"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-e", "-c", drift["run"]],
        cwd=starter,
        env=environment({"PATH": path, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (starter / "drift.md").read_text().startswith("**Worse: ")
    assert (starter / "drift.md").read_text() in (tmp_path / "summary.md").read_text()
