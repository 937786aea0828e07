"""Runs made again for a closer look: they come out as before, or it is said that they do not."""

from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sim import explain, load, loads, read, run
from sim.scenario import ScenarioError
from sim.study.batch import Job, RunSpec, do
from sim.study.errors import NotTheSameRun
from sim.study.explain.again import run_again
from sim.study.explain.parting import recorded

THREE = """
name: three
duration: 20s
nodes: [{name: n0}, {name: n1}, {name: n2}]
models: [{name: m, service: {mean: 1s}, replicas: [{node: n0}, {node: n1}, {node: n2}]}]
workload: [{kind: poisson, model: m, rate: 2/s}]
"""
FIRST = "def pick(replicas):\n    return replicas[0]\n"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The folder of a run whose policy is code of its own."""
    (tmp_path / "mine.py").write_text(FIRST)
    (tmp_path / "three.yaml").write_text(f"{THREE}router: {{policy: ./mine.py:pick}}\n")
    do(Job(load(tmp_path / "three.yaml", allow_code=True), (RunSpec("default", 5, tmp_path / "run"),)))
    return tmp_path / "run"


def test_a_result_comes_out_again_and_its_observers_hear_of_it() -> None:
    class Arrivals:
        number = 0

        def arrived(self, request: Any) -> None:
            self.number += 1

    result, arrivals = run(loads(THREE), seed=9), Arrivals()

    again = run_again(result, [arrivals])

    assert (again.digest, again.seed) == (result.digest, 9)
    assert arrivals.number == len(result.requests)


def test_the_run_of_a_folder_is_made_again_from_its_plan(saved: Path) -> None:
    again = run_again(saved, allow_code=True)

    assert (again.digest, again.seed) == (read(saved).digest, 5)


def test_a_run_whose_code_has_changed_since_is_not_taken_for_the_same(saved: Path) -> None:
    (saved.parent / "mine.py").write_text(FIRST.replace("[0]", "[1]"))

    with pytest.raises(NotTheSameRun, match=r"three, default, seed 5 comes out otherwise now: .* has changed since"):
        run_again(saved, allow_code=True)


def test_a_policy_with_a_memory_outside_of_the_run_is_found_out() -> None:
    picks = count()
    result = run(loads(THREE), policies={"mine": lambda replicas: replicas[next(picks) // 10 % len(replicas)]})

    with pytest.raises(NotTheSameRun):
        run_again(result)


def test_code_is_run_only_if_it_is_allowed(saved: Path) -> None:
    with pytest.raises(ScenarioError, match="allow-code"):
        run_again(saved)


def test_a_story_of_a_folder_finds_its_trace_where_it_may_look(tmp_path: Path) -> None:
    elsewhere = tmp_path / "traces"
    elsewhere.mkdir()
    (elsewhere / "two.csv").write_text("t,prompt,output\n1,9,9\n3,9,9\n")
    (tmp_path / "scenarios").mkdir()
    path = tmp_path / "scenarios" / "three.yaml"
    path.write_text(
        THREE.replace(
            "kind: poisson, model: m, rate: 2/s",
            "kind: trace, model: m, file: two.csv, columns: {arrival: t, prompt: prompt, output: output}",
        )
    )
    do(Job(load(path, allow_dirs=[elsewhere]), (RunSpec("default", 5, tmp_path / "run"),)))

    with pytest.raises(ScenarioError, match=r"two\.csv"):
        explain(tmp_path / "run", request=1)
    assert explain(tmp_path / "run", request=1, allow_dirs=[elsewhere]).steps[0].t_ns == 3_000_000_000


def test_a_result_that_was_read_names_no_place_to_look_for_its_code(saved: Path) -> None:
    with pytest.raises(TypeError, match="allowed: that folder itself"):
        run_again(read(saved))


def test_a_closer_look_tells_what_each_pick_was_made_from(saved: Path) -> None:
    look = recorded(partial(run_again, saved, allow_code=True))

    choices = pd.read_parquet(look.choices.finished())
    pd.testing.assert_frame_equal(choices, pd.read_parquet(saved / "choices.parquet"), check_categorical=False)
    assert set(choices["pick"]) == set(range(len(look.result.picks)))
