"""`sim run`: what it runs, what it prints where, and its exit code."""

from pathlib import Path

import pytest

from sim import __version__
from tests.cli.command import BROKEN, BURST, HELD, SMALL, sim, sim_json, sim_process


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL + HELD)
    return path


def test_expectations_that_hold_give_exit_code_0_and_a_table_on_standard_output_alone(small: Path) -> None:
    done = sim("run", small)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split() == ["small", "seed", "3"]
    assert "✓ fixed requests.completed: 4, expected >= 4" in done.stdout


def test_an_expectation_that_fails_gives_exit_code_1_and_its_line(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL + BROKEN)

    done = sim("run", path)

    assert (done.returncode, done.stderr) == (1, "")
    assert "✗ fixed requests.completed: 4, expected >= 5" in done.stdout


def test_a_scenario_that_expects_nothing_gives_exit_code_0(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)

    assert sim("run", path).returncode == 0


def test_a_run_without_requests_gives_exit_code_5_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "idle.yaml"
    path.write_text(SMALL.replace(BURST, "kind: uniform, model: qwen3, rate: 1/h") + HELD)

    done = sim("run", path)

    assert done.returncode == 5
    assert done.stderr == f"{path}: no request arrived in variant pinned, seed 3: nothing was checked\n"


def test_expectations_that_are_all_about_other_variants_give_exit_code_5(small: Path) -> None:
    done = sim("run", small, "--variant", "pinned")

    assert done.returncode == 5
    assert "none of its expectations is about the variants that were run" in done.stderr


def test_a_broken_expectation_outweighs_a_scenario_in_which_nothing_was_checked(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(SMALL + BROKEN)
    (tmp_path / "idle.yaml").write_text(SMALL.replace("at: 1s", "at: 50s").replace("duration", "warmup: 59s\nduration"))

    done = sim("run", tmp_path / "broken.yaml", tmp_path / "idle.yaml")

    assert done.returncode == 1


def test_json_is_one_document_with_exactly_the_agreed_keys(small: Path) -> None:
    document = sim_json(small)

    assert list(document) == ["sim", "scenario", "runs"]
    assert (document["sim"], document["scenario"]) == (__version__, "small")
    assert [list(run) for run in document["runs"]] == [["variant", "seed", "digest", "metrics", "expectations"]] * 2
    assert [(run["variant"], run["seed"]) for run in document["runs"]] == [("pinned", 3), ("fixed", 3)]
    assert all(len(run["digest"]) == 32 for run in document["runs"])
    assert {type(value) for run in document["runs"] for value in run["metrics"].values()} <= {int, float}
    assert document["runs"][1]["expectations"] == [
        {"metric": "requests.completed", "variant": "fixed", "value": 4, "bound": ">= 4", "passed": True}
    ]


def test_json_of_several_scenarios_is_a_list_in_the_order_they_were_named(small: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SMALL.replace("name: small", "name: other"))

    documents = sim_json(other, small)

    assert [document["scenario"] for document in documents] == ["other", "small"]


def test_only_the_chosen_variants_run_in_the_order_of_the_file(small: Path) -> None:
    both = sim_json(small, "--variant", "fixed", "--variant", "pinned")["runs"]
    one = sim_json(small, "--variant", "fixed")["runs"]

    assert [run["variant"] for run in both] == ["pinned", "fixed"]
    assert one == both[1:]


def test_repetitions_run_the_seeds_that_follow_and_judge_each(small: Path) -> None:
    runs = sim_json(small, "--seed", "7", "--reps", "3", "--variant", "fixed")["runs"]

    assert [run["seed"] for run in runs] == [7, 8, 9]
    assert len({run["digest"] for run in runs}) == 3
    assert all(len(run["expectations"]) == 1 for run in runs)


def test_a_seed_gives_the_same_run_whether_it_comes_first_or_not(small: Path) -> None:
    many = sim_json(small, "--seed", "7", "--reps", "2")["runs"]
    one = sim_json(small, "--seed", "8")["runs"]

    assert [run for run in many if run["seed"] == 8] == one


def test_worker_processes_change_nothing_of_the_output(small: Path) -> None:
    alone = sim("run", small, "--reps", "3", "--json")
    shared = sim("run", small, "--reps", "3", "--json", "--jobs", "2")

    assert (shared.stdout, shared.stderr, shared.returncode) == (alone.stdout, alone.stderr, alone.returncode)


def test_the_last_seed_of_all_can_be_run(small: Path) -> None:
    runs = sim_json(small, "--seed", str(2**64 - 1))["runs"]

    assert {run["seed"] for run in runs} == {2**64 - 1}


def test_a_set_value_reaches_every_variant(small: Path) -> None:
    runs = sim_json(small, "--set", "workload.0.requests=6", "--set", "router.probe.ttl=5s")["runs"]

    assert [run["metrics"]["requests.offered"] for run in runs] == [6, 6]


def test_a_pipe_gets_neither_colours_nor_progress(small: Path) -> None:
    done = sim("run", small)

    assert "\x1b" not in done.stdout + done.stderr


def test_an_output_that_cannot_show_every_character_still_gets_the_table(small: Path) -> None:
    done = sim_process("run", small, PYTHONIOENCODING="ascii")

    assert done.returncode == 0
    assert "+ fixed requests.completed: 4" in done.stdout
    assert done.stdout.isascii()
