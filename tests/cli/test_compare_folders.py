"""`sim compare BASE_DIR NEW_DIR`: what changed between two result folders, as from two commits."""

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.cli.command import sim

QUEUE = """
name: queue
seed: 1
duration: 60s
nodes: [{name: spark, vram: 10GB}, {name: thor, vram: 10GB}]
models:
  - name: m
    backend: {health: independent}
    service: {mean: 500ms, distribution: deterministic}
    replicas: [{node: spark}, {node: thor}]
registry: {transaction: 0s}
network: {latency: 0s}
workload: [{kind: poisson, model: m, rate: 1/s}]
variants: {mine: {router: {policy: ./picker.py:pick}}}
expect: [{metric: fairness.busiest_share, max: 0.9}]
"""
LEAST = "def pick(replicas, request):\n    return min(replicas, key=lambda one: one.in_flight)\n"
ONE_TIE = LEAST.replace("    return", "    if request.id == 7: replicas = replicas[::-1]\n    return")
FIRST = "def pick(replicas, request):\n    return replicas[0]\n"


def run(home: Path, out: str, picker: str, *more: str, text: str = QUEUE) -> None:
    (home / "queue.yaml").write_text(text)
    (home / "picker.py").write_text(picker)
    sim("run", "queue.yaml", "--allow-code", "--out", out, *more, folder=home)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of several routers on six seeds."""
    home = tmp_path_factory.mktemp("home")
    run(home, "base", LEAST, "--reps", "6")
    run(home, "again", LEAST, "--reps", "6")
    run(home, "first", FIRST, "--reps", "6")
    run(home, "tie", ONE_TIE)
    run(home, "elsewhere", LEAST, text=QUEUE.replace("name: queue", "name: other"))
    return home


def compared(home: Path, base: str, new: str, *more: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sim("compare", base, new, "--json", *more, folder=home).stdout)
    return document


def test_folders_of_the_same_decisions_are_said_to_be_identical(home: Path) -> None:
    done = sim("compare", "base", "again", "--fail-on-worse", folder=home)

    assert done.stdout.splitlines()[0] == "No change: all 6 runs decided identically."
    assert done.returncode == 0


def test_one_tie_is_found_and_shown_with_the_figures_of_both_candidates(home: Path) -> None:
    document = compared(home, "base", "tie")

    parting = document["variants"][0]["first_differences"][0]
    assert (parting["seed"], parting["what"]) == (1, "the pick for request 7 of m")
    assert parting["base"].startswith("took spark#0 at ")
    assert parting["new"].startswith("took thor#0 at ")
    assert [one["replica"] for one in parting["candidates"]] == ["spark#0", "thor#0"]
    for candidate in parting["candidates"]:
        assert candidate["base"] == candidate["new"]
        assert candidate["base"]["in_flight"] == 0
        assert candidate["base"]["available_vram_bytes"] == 10 * 10**9


def test_the_terminal_shows_the_tie_with_a_line_for_each_candidate(home: Path) -> None:
    lines = [line.split() for line in sim("compare", "base", "tie", folder=home).stdout.splitlines()]

    [spark] = [line for line in lines if line[:1] == ["spark#0"]]
    [thor] = [line for line in lines if line[:1] == ["thor#0"]]
    assert (spark[1:3], spark[5:]) == (["0", "0"], ["10", "10"])
    assert (thor[1:3], thor[5:]) == (["0", "0"], ["10", "10"])
    assert spark[3] == spark[4]


def test_metrics_that_changed_beyond_noise_have_their_interval_and_a_verdict(home: Path) -> None:
    document = compared(home, "base", "first")

    rows = {row["metric"]: row for row in document["variants"][0]["rows"]}
    assert rows["fairness.busiest_share"]["b"] == 1
    assert rows["fairness.jain"]["verdict"] == "a"
    assert rows["fairness.jain"]["low"] <= rows["fairness.jain"]["difference"] <= rows["fairness.jain"]["high"] < 0
    assert rows["requests.completed"]["verdict"] == "same"


def test_an_expectation_that_no_longer_holds_is_told_with_its_counts(home: Path) -> None:
    document = compared(home, "base", "first")

    [side] = document["variants"][0]["expectations"]
    assert side == {"metric": "fairness.busiest_share", "bound": "<= 0.9", "base_held": 6, "new_held": 0, "judged": 6}
    assert document["verdict"].startswith("Worse: ")
    assert "1 expectation holds less often" in document["verdict"]


def test_worse_is_a_failure_only_for_those_who_ask(home: Path) -> None:
    assert sim("compare", "base", "first", folder=home).returncode == 0
    assert sim("compare", "base", "first", "--fail-on-worse", folder=home).returncode == 1
    # Back again it is better, and nothing else.
    assert sim("compare", "first", "base", "--fail-on-worse", folder=home).returncode == 0


def test_on_one_seed_a_change_is_shown_and_said_to_be_of_one_seed(home: Path) -> None:
    run(home, "one_first", FIRST, "--overwrite")

    done = sim("compare", "one_first", "tie", folder=home)

    assert "metrics other on their only seed" in done.stdout
    assert "One seed gives no estimate of the noise" in " ".join(done.stdout.split())
    assert compared(home, "one_first", "tie")["worse"] is False


def test_runs_that_only_one_folder_has_are_named(home: Path) -> None:
    document = compared(home, "base", "tie")

    assert document["only_base"] == [{"scenario": "queue", "variant": "mine", "seeds": [2, 3, 4, 5, 6]}]
    assert "Only in base: queue, mine, seeds 2 to 6." in sim("compare", "base", "tie", folder=home).stdout


def test_a_run_can_be_compared_by_its_own_folder(home: Path) -> None:
    document = compared(home, "base/queue/mine/seed-1", "tie/queue/mine/seed-1")

    assert [one["variant"] for one in document["variants"]] == ["mine"]


def test_the_markdown_has_the_verdict_first_then_tables_and_pictures(home: Path, tmp_path: Path) -> None:
    copytree(home / "first", tmp_path / "new")
    (tmp_path / "new/queue/shares.svg").write_text("<svg/>")

    done = sim("compare", home / "base", "new", "--markdown", "drift.md", folder=tmp_path)

    text = (tmp_path / "drift.md").read_text()
    assert text.splitlines()[0] == f"✗ **{done.stdout.splitlines()[0]}**".replace("<", "&lt;")
    assert "| `fairness.jain` |" in text
    assert "- ✗ fairness.busiest_share &lt;= 0.9: held 6 of 6 times, holds 0 of 6 times now" in text
    assert "| spark#0 |" in text
    assert "](<new/queue/shares.svg>)" in text


@pytest.mark.parametrize(
    ("base", "new", "message"),
    [
        ("base", "nowhere", "nowhere does not exist; allowed: a folder that `sim run --out` has written"),
        ("queue.yaml", "base", "queue.yaml is not a folder; allowed: a folder that `sim run --out` has written"),
        ("base/queue/mine/seed-1", "elsewhere", "have no run in common"),
    ],
)
def test_what_is_no_result_folder_is_refused(home: Path, base: str, new: str, message: str) -> None:
    done = sim("compare", base, new, folder=home)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize("file", ["summary.json", "manifest.json", "picks.parquet"])
def test_a_damaged_run_is_refused_by_the_name_of_the_file(home: Path, tmp_path: Path, file: str) -> None:
    copytree(home / "tie", tmp_path / "tie")
    (tmp_path / "tie/queue/mine/seed-1" / file).write_text("{}")

    done = sim("compare", home / "base", "tie", folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"tie/queue/mine/seed-1/{file} is " in done.stderr


def test_options_that_say_what_to_run_are_refused(home: Path) -> None:
    done = sim("compare", "base", "tie", "--a", "mine", folder=home)

    assert (done.returncode, done.stdout) == (2, "")
    assert "--a says what to run; two folders are compared as they are" in done.stderr
