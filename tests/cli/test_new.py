"""`sim new`: what it writes, what it leaves alone, and that its starter passes, and fails with an unfair picker."""

import shlex
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
import yaml

from sim import load, run_all
from sim.cli.process.exits import ExitCode
from tests.cli.command import little_room, sim, sim_process, written

pytest_plugins = ["pytester"]

# The plugin is named, for an environment whose entry points are older than it.
PLUGIN = ("-p", "no:sim", "-p", "sim.testing.plugin")

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


def with_few_seeds(starter: Path) -> None:
    """Let the scenario judge what it judges over seeds over fewer of them."""
    scenario = starter / "balance.yaml"
    text = scenario.read_text()
    assert "over: 20 seeds" in text
    scenario.write_text(text.replace("over: 20 seeds", "over: 3 seeds"))


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
    done = sim_process("new", "x", folder=tmp_path, start=little_room(9000))

    assert (done.returncode, done.stdout) == (ExitCode.INTERNAL, "")
    assert done.stderr == "sim: cannot write to x: File too large\n"
    assert written(tmp_path) == ["x"]


def test_the_schema_is_the_one_that_sim_prints(starter: Path) -> None:
    assert (starter / "scenario.schema.json").read_text() == sim("schema").stdout
    assert (starter / "balance.yaml").read_text().startswith("# yaml-language-server: $schema=scenario.schema.json\n")


@pytest.mark.parametrize("seeds", ["few", pytest.param("as written", marks=pytest.mark.long)])
def test_the_starter_passes_as_it_is_written(pytester: pytest.Pytester, seeds: str) -> None:
    sim("new", ".", folder=pytester.path)
    if seeds == "few":
        with_few_seeds(pytester.path)

    done = pytester.runpytest_subprocess(*PLUGIN)

    done.assert_outcomes(passed=5)


def test_with_an_unfair_picker_it_fails_and_says_why(pytester: pytest.Pytester) -> None:
    sim("new", ".", folder=pytester.path)
    with_key(pytester.path, FORGETFUL)
    with_few_seeds(pytester.path)

    done = pytester.runpytest_subprocess(*PLUGIN, "-k", "share")

    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(["completed requests of mine on seed * after 1m:", "  node-3#0 * 0%  no request at all"])


@pytest.mark.parametrize("unfair", [FIRST_OF_THE_IDLE, pytest.param(FIRST, marks=pytest.mark.long)])
def test_other_unfair_pickers_fail_what_the_scenario_expects(starter: Path, unfair: str) -> None:
    with_key(starter, unfair)

    results = run_all(load(starter / "balance.yaml", allow_code=True), variants=["mine"])

    assert "fairness.jain" in [verdict.metric for verdict in results.failed]


def test_the_ci_job_tells_what_a_pull_request_changes(starter: Path) -> None:
    with_few_seeds(starter)
    shutil.copytree(starter, starter / "base")
    with_key(starter, FIRST_OF_THE_IDLE)
    base, new, compare = commands_of_drift(starter / ".github/workflows/balance.yml")

    runs = [sim(*arguments, "-j", "1", folder=starter).returncode for arguments in (base, new)]
    compared = sim(*compare, folder=starter)

    assert (runs, compared.returncode) == ([ExitCode.HELD, ExitCode.BROKEN], ExitCode.HELD)
    assert (starter / "drift.md").read_text().startswith("✗ **Worse: ")


def commands_of_drift(workflow: Path) -> list[list[str]]:
    """The commands of sim, each as its arguments; what the shell does around them is left out."""
    steps = yaml.safe_load(workflow.read_text())["jobs"]["balance"]["steps"]
    [script] = [step["run"] for step in steps if step.get("name") == "Drift"]
    return [shlex.split(line.partition("sim ")[2].partition(" || ")[0]) for line in script.splitlines()]
