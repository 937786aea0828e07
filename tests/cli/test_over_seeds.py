"""`sim run` of a file whose expectations are judged over seeds."""

from pathlib import Path

import pytest

from tests.cli.command import BURST, SMALL, sim, sim_json

POISSON = SMALL.replace(BURST, "kind: poisson, model: qwen3, rate: 1/s")
HELD = """
expect:
  - {variant: fixed, metric: latency.mean_s, below: pinned, over: 4 seeds}
  - {variant: fixed, metric: requests.failed, equals: 0, over: 3 seeds, for_every_seed: true}
  - {variant: fixed, metric: requests.offered, min: 1}
"""
BROKEN = """
expect:
  - {variant: fixed, metric: latency.mean_s, max: 0.5, over: 3 seeds}
  - {variant: fixed, metric: latency.p50_s, min: 0}
"""


@pytest.fixture
def held(tmp_path: Path) -> Path:
    path = tmp_path / "held.yaml"
    path.write_text(POISSON + HELD)
    return path


def test_as_many_seeds_run_as_the_expectations_need_and_the_others_are_judged_on_the_first(held: Path) -> None:
    document = sim_json(held, "-j", "1")

    assert [run["seed"] for run in document["runs"]] == [3, 4, 5, 6] * 2
    assert [len(run["expectations"]) for run in document["runs"]] == [0, 0, 0, 0, 1, 0, 0, 0]
    difference, law = document["expectations"]
    assert (difference["seeds"], difference["held"], difference["passed"]) == (4, 4, True)
    assert difference["low"] < difference["value"] < difference["high"] < 0
    assert (law["value"], law["seeds"], law["bound"], law["low"]) == (0, 4, "= 0", None)


def test_a_failure_ends_with_the_line_that_runs_its_worst_seed_again_and_others_name_their_seed(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(POISSON + BROKEN)

    done = sim("run", path, "--set", "duration=50s", "-j", "1")

    assert done.returncode == 1
    [worst] = [line.split()[-1] for line in done.stdout.splitlines() if "held on 0 of 3 seeds, worst" in line]
    assert f"  sim run {path} --variant fixed --seed {worst} --set duration=50s\n" in done.stdout
    assert "expected >= 0 on seed 3\n" in done.stdout


def test_a_seed_that_is_named_runs_alone_and_says_what_it_could_not_judge(held: Path) -> None:
    done = sim("run", held, "--seed", "5")

    assert done.returncode == 0
    assert done.stdout.splitlines()[0].split() == ["small", "seed", "5"]
    assert done.stdout.count("judged on 4 seeds, and 1 was run") == 1


def test_fewer_repetitions_than_expectations_need_are_raised_and_this_is_said(held: Path) -> None:
    done = sim("run", held, "--reps", "2", "--jobs", "1", "--json")

    assert done.returncode == 0
    assert done.stderr == f"{held}: runs 4 seeds, not 2: an expectation is judged over as many\n"


def test_of_variants_that_are_left_out_nobody_needs_more_seeds(held: Path) -> None:
    assert [run["seed"] for run in sim_json(held, "--variant", "pinned")["runs"]] == [3]
