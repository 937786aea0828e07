"""Policies of one's own on the command line: behind a flag, the same in every process, and their mistakes told."""

import shutil
from pathlib import Path

import pytest

from sim.cli.process.exits import ExitCode
from tests.cli.command import SMALL, sim, sim_json, sim_process_json, written

PICKERS = Path(__file__).parents[1] / "pickers.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(PICKERS, tmp_path / "my_picker.py")
    for name in ("PowerOfTwo", "beyond"):
        text = SMALL.replace("fixed: {}", f"mine: {{router: {{policy: ./my_picker.py:{name}}}}}")
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def test_without_the_flag_nothing_runs_and_the_message_names_it(folder: Path) -> None:
    done = sim("run", "PowerOfTwo.yaml", "--out", "out", folder=folder)

    assert (done.returncode, done.stdout) == (ExitCode.BAD_INPUT, "")
    assert done.stderr == (
        "PowerOfTwo.yaml:9:73: variants.mine.router.policy: found './my_picker.py:PowerOfTwo', which runs code of your "
        "own; allowed: with --allow-code, or load(..., allow_code=True)\n"
    )
    assert not (folder / "out").exists()


# In the short form, a program has one in every process.
@pytest.mark.long
def test_a_policy_that_draws_has_one_digest_in_every_process(folder: Path) -> None:
    several = ("PowerOfTwo.yaml", "--allow-code", "--variant", "mine", "--reps", "3")

    one = sim_json(*several, folder=folder)
    shared = sim_process_json(*several, "--jobs", "2", folder=folder, PYTHONHASHSEED="2")

    digests = [[run["digest"] for run in document["runs"]] for document in (one, shared)]
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 3


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_mistake_in_a_policy_is_told_in_one_line_and_nothing_of_its_run_is_written(folder: Path, jobs: str) -> None:
    done = sim("run", "beyond.yaml", "--allow-code", "--out", "out", "--reps", "2", "--jobs", jobs, folder=folder)

    assert (done.returncode, done.stdout) == (ExitCode.BAD_INPUT, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(
        "beyond.yaml:9:73: router.policy: ./my_picker.py:beyond raised IndexError: tuple index out of"
    )
    assert line.endswith("(my_picker.py:38) for request 0 of qwen3")
    assert written(folder / "out") == []


def test_a_plan_that_was_written_finds_the_policy_from_where_it_lies(folder: Path) -> None:
    first = sim_json("PowerOfTwo.yaml", "--allow-code", "--variant", "mine", "--out", "out", folder=folder)

    again = sim_json("out/small/mine/seed-3/plan.yaml", "--allow-code", folder=folder)

    assert again["runs"][0]["digest"] == first["runs"][0]["digest"]
