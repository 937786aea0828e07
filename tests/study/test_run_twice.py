"""Runs that are made twice: what depends on the scenario and seed alone comes through, and nothing else does."""

from itertools import count
from typing import Any

import pytest

from sim import loads, run
from sim.scenario import ScenarioFile
from sim.study.errors import NotTheSameRun
from sim.study.run_twice import run_twice

THREE = """
name: three
duration: 30s
nodes: [{name: n0}, {name: n1}, {name: n2}]
models: [{name: qwen3, service: {mean: 100ms}, replicas: [{node: n0}, {node: n1}, {node: n2}]}]
workload: [{kind: poisson, model: qwen3, rate: 1/s}]
"""


def with_policy(policy: Any) -> ScenarioFile:
    return loads(f"{THREE}\nrouter: {{policy: mine}}\n", policies={"mine": policy})


def test_a_run_that_repeats_itself_is_returned() -> None:
    file = with_policy(lambda replicas: replicas[0])

    assert run_twice(file, "default", 1).digest == run(file, "default", 1).digest


def test_the_first_other_decision_is_named() -> None:
    number_made = count()

    class Restless:
        def __init__(self) -> None:
            self.index = next(number_made)

        def pick(self, replicas: Any) -> Any:
            return replicas[self.index]

    with pytest.raises(NotTheSameRun) as caught:
        run_twice(with_policy(Restless), "default", 2)

    lines = str(caught.value).splitlines()
    assert lines[0].startswith("three, variant default, seed 2 decided otherwise the second time: it depends on more")
    assert lines[1].endswith("s: the pick for request 0 of qwen3")
    assert lines[2].startswith("  the first time  took n0#0 at ")
    assert lines[3].startswith("  the second time took n1#0 at ")


def test_an_observer_is_told_of_one_run() -> None:
    class Arrivals:
        number = 0

        def arrived(self, request: Any) -> None:
            self.number += 1

    arrivals = Arrivals()

    result = run_twice(loads(THREE), "default", 1, [arrivals])

    assert arrivals.number == len(result.requests)
