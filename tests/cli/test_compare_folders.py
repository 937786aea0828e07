"""`sim compare BASE_DIR NEW_DIR`: what changed between two result folders, as from two commits."""

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from sim.measure.statistics import paired_difference
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
    """A folder with the results of several routers on four seeds."""
    home = tmp_path_factory.mktemp("home")
    run(home, "base", LEAST, "--reps", "4")
    run(home, "again", LEAST, "--reps", "4")
    run(home, "first", FIRST, "--reps", "4")
    run(home, "tie", ONE_TIE)
    run(home, "elsewhere", LEAST, text=QUEUE.replace("name: queue", "name: other"))
    return home


def compared(home: Path, base: str, new: str, *more: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sim("compare", base, new, "--json", *more, folder=home).stdout)
    return document


def test_folders_of_the_same_decisions_are_said_to_be_identical(home: Path) -> None:
    done = sim("compare", "base", "again", "--fail-on-worse", folder=home)

    assert done.stdout.splitlines()[0] == "No change: all 4 runs decided identically."
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
    assert (side["metric"], side["bound"]) == ("fairness.busiest_share", "<= 0.9")
    assert (side["base_held"], side["new_held"], side["judged"]) == (4, 0, 4)
    assert document["verdict"].startswith("Worse: ")
    assert "1 expectation holds less often" in document["verdict"]


def test_all_intervals_of_the_comparison_hold_together_at_its_confidence(home: Path) -> None:
    rows = compared(home, "base", "first")["variants"][0]["rows"]

    [row] = [row for row in rows if row["metric"] == "latency.mean_s"]
    base, new = (
        [run["metrics"]["latency.mean_s"] for run in json.loads((home / out / "summary.json").read_text())["runs"]]
        for out in ("base", "first")
    )
    alone = paired_difference(base, new, 1 - 0.05 / len(rows))
    assert (row["low"], row["high"]) == pytest.approx((alone.low, alone.high))


def test_expectations_on_several_seeds_together_are_compared_too(tmp_path: Path) -> None:
    over = QUEUE.replace("max: 0.9}", "max: 0.9, over: 2 seeds}")
    run(tmp_path, "base", LEAST, "-j", "1", text=over)
    run(tmp_path, "first", FIRST, "-j", "1", text=over)

    [side] = compared(tmp_path, "base", "first")["variants"][0]["expectations"]

    assert (side["base_held"], side["new_held"], side["judged"]) == (1, 0, 1)


def test_a_bug_that_no_longer_shows_is_told_as_such_and_makes_nothing_worse(tmp_path: Path) -> None:
    text = QUEUE.replace("max: 0.9}", "min: 0.9, shows: bug}")
    run(tmp_path, "buggy", FIRST, text=text)
    run(tmp_path, "mended", LEAST, text=text)

    done = sim("compare", "buggy", "mended", "--fail-on-worse", folder=tmp_path)

    assert "fairness.busiest_share >= 0.9: showed the bug 1 of 1 times, shows it 0 of 1 times now" in done.stdout
    assert done.returncode == 0


def test_worse_is_a_failure_only_for_those_who_ask(home: Path) -> None:
    assert sim("compare", "base", "first", folder=home).returncode == 0
    assert sim("compare", "base", "first", "--fail-on-worse", folder=home).returncode == 1
    # Back again it is better, and nothing else.
    assert sim("compare", "first", "base", "--fail-on-worse", folder=home).returncode == 0


def test_on_one_seed_a_change_is_shown_and_said_to_be_of_one_seed(home: Path) -> None:
    run(home, "one_first", FIRST, "--overwrite")

    done = sim("compare", "one_first", "tie", folder=home)

    assert "metrics differ on their only seed" in done.stdout
    assert "One seed gives no estimate of the noise" in " ".join(done.stdout.split())
    assert compared(home, "one_first", "tie")["worse"] is False


def test_figures_of_identical_decisions_are_compared_as_well(tmp_path: Path) -> None:
    run(tmp_path, "base", LEAST)
    run(tmp_path, "late", LEAST, "--set", "warmup=30s")

    document = compared(tmp_path, "base", "late")

    [change] = document["variants"]
    [completed] = [row for row in change["rows"] if row["metric"] == "requests.completed"]
    assert (change["identical"], change["first_differences"]) == ([1], [])
    assert completed["difference"] < 0


def test_a_metric_that_no_longer_applies_is_told(tmp_path: Path) -> None:
    run(tmp_path, "base", LEAST)
    run(tmp_path, "idle", LEAST, text=QUEUE.replace("rate: 1/s", "rate: 0.000001/s"))

    done = sim("compare", "base", "idle", folder=tmp_path)

    assert "latency.p99_s: applied to 1 runs, applies to 0 now" in done.stdout


def test_runs_that_only_one_folder_has_are_named(home: Path) -> None:
    document = compared(home, "base", "tie")

    assert document["only_base"] == [{"scenario": "queue", "variant": "mine", "seeds": [2, 3, 4]}]
    assert "Only in base: queue, mine, seeds 2 to 4." in sim("compare", "base", "tie", folder=home).stdout


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
    assert "- ✗ fairness.busiest_share &lt;= 0.9: held 4 of 4 times, holds 0 of 4 times now" in text
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


OF_RUNS = {
    "--a": "mine",
    "--b": "mine",
    "--reps": "20",
    "--precision": "2%",
    "--max-reps": "1000",
    "--seed": "1",
    "--set": "seed=1",
    "--plot": "differences.svg",
    "--allow-dir": ".",
    "--allow-code": "",
    "--jobs": "1",
}
"""With the default, where there is one: it is refused too."""


@pytest.mark.parametrize("option", OF_RUNS)
def test_an_option_that_says_what_to_run_is_refused(home: Path, option: str) -> None:
    done = sim("compare", "base", "tie", *filter(None, (option, OF_RUNS[option])), folder=home)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option} is for the variants of a scenario; two folders are compared as they are" in done.stderr


def test_all_options_that_do_nothing_are_named_at_once(home: Path) -> None:
    done = sim("compare", "base", "tie", "--reps", "3", "-j", "2", "--allow-code", folder=home)

    assert "--reps, --allow-code, --jobs are for the variants of a scenario" in done.stderr
