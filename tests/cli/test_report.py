"""`sim report`: what is written of saved runs, and what is refused before anything is written."""

import json
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from tests.cli.command import SMALL, sim


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the saved runs of both variants of a small scenario."""
    home = tmp_path_factory.mktemp("home")
    (home / "small.yaml").write_text(SMALL)
    sim("run", "small.yaml", "--out", "runs", folder=home)
    return home


def processes(trace: Path) -> list[str]:
    events = json.loads(trace.read_text())["traceEvents"]
    return [event["args"]["name"] for event in events if event["name"] == "process_name"]


def test_the_trace_of_one_run_has_its_frontends_and_nodes_as_processes(home: Path) -> None:
    done = sim("report", "runs/small/fixed/seed-3", "--trace", "one.json", folder=home)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(processes(home / "one.json")) == ["frontend 0", "spark", "thor"]


def test_the_processes_of_several_runs_are_named_after_their_run(home: Path) -> None:
    sim("report", "runs", "runs", "--trace", "all.json", folder=home)

    assert len(processes(home / "all.json")) == 6
    assert "small, pinned, seed 3: spark" in processes(home / "all.json")
    assert "small, fixed, seed 3: thor" in processes(home / "all.json")


def test_the_page_and_the_markdown_of_a_saved_run_are_written(home: Path) -> None:
    done = sim("report", "runs/small/fixed/seed-3", "--html", "page.html", "--markdown", "page.md", folder=home)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "<title>small · sim report</title>" in (home / "page.html").read_text()
    assert "### small, seed 3" in (home / "page.md").read_text()


def test_a_scenario_file_is_run_for_its_report_and_leaves_nothing_else(home: Path) -> None:
    before = {*home.iterdir()}

    done = sim("report", "small.yaml", "--markdown", "ran.md", folder=home)

    assert (done.returncode, done.stdout) == (0, "")
    assert {*home.iterdir()} - before == {home / "ran.md"}
    sim("report", "runs", "--markdown", "saved.md", folder=home)
    assert (home / "ran.md").read_text() == (home / "saved.md").read_text()


def test_a_scenario_with_a_mistake_is_refused_before_anything_is_run_or_written(home: Path) -> None:
    (home / "wrong.yaml").write_text(SMALL.replace("qwen3", "qwen4", 1))

    done = sim("report", "wrong.yaml", "runs", "--html", "wrong.html", folder=home)

    assert done.returncode == 2
    assert done.stderr.startswith("wrong.yaml:")
    assert not (home / "wrong.html").exists()


def test_a_damaged_run_is_refused_before_any_form_of_the_report_is_written(home: Path) -> None:
    damaged = Path(copytree(home / "runs", home / "damaged"), "small/fixed/seed-3")
    next(damaged.glob("records*")).write_bytes(b"damaged")

    done = sim("report", "damaged", "--markdown", "damaged.md", "--trace", "damaged.json", folder=home)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("damaged/small/fixed/seed-3")
    assert [*home.glob("damaged.*")] == []


def test_a_folder_from_which_a_variant_was_deleted_is_refused_and_what_is_missing_is_named(home: Path) -> None:
    rmtree(Path(copytree(home / "runs", home / "lost"), "small/pinned"))

    done = sim("report", "lost", "--markdown", "lost.md", folder=home)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lost/summary.json tells of runs that are not there: small, pinned on seed 3\n"
    assert not (home / "lost.md").exists()


def test_the_folder_of_a_run_that_is_left_can_be_reported_alone(home: Path) -> None:
    rmtree(Path(copytree(home / "runs", home / "left"), "small/pinned"))

    done = sim("report", "left/small/fixed/seed-3", "--markdown", "left.md", folder=home)

    assert (done.returncode, done.stderr) == (0, "")


REFUSALS = {
    "nothing to write": (
        ["runs"],
        "no form of the report is asked for; allowed: --html FILE, --markdown FILE, --trace FILE",
    ),
    "no such folder": (["run", "--trace", "t.json"], "run does not exist; allowed: a folder that `sim run --out`"),
    "no such file": (["smal.yaml", "--trace", "t.json"], "smal.yaml: cannot be opened: no such file or directory; "),
    "no runs": ([".", "--trace", "t.json"], ". holds no runs; allowed: a folder that `sim run --out`"),
    "one place for two": (
        ["runs", "--html", "t.json", "--trace", "./t.json"],
        "two of --html, --trace name the same file; allowed: a file for each",
    ),
    "no place": (["runs", "--trace", "no/t.json"], "--trace: no is not a folder; allowed: a file in a folder that"),
}


@pytest.mark.parametrize(("arguments", "told"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_reported_is_refused(home: Path, arguments: list[str], told: str) -> None:
    done = sim("report", *arguments, folder=home)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(told)
    assert not (home / "t.json").exists()
