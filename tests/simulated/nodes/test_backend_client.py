"""Calls to a backend over the network: what each of their ends takes."""

import pytest

from tests.simulated.faults.worlds import run_with

WORLD = """
duration: 20s
nodes: [{name: a}, {name: b}]
models:
  - {name: m, service: {mean: 1s, distribution: deterministic}, backend: {load_time: 5s}, replicas: [{node: a}]}
  - {name: other, service: {mean: 1s, distribution: deterministic}}
registry: {transaction: 0s}
network: {latency: 50ms}
workload: [{kind: burst, model: m, at: 10s, requests: 1}]
"""


@pytest.mark.parametrize(
    "fault",
    [
        "kind: replica_exit, node: a, model: m, at: 5s",
        "kind: node_crash, node: a, at: 5s",
    ],
    ids=["nobody at the address", "node down"],
)
def test_a_refused_probe_takes_the_way_there_and_back(fault: str) -> None:
    first = run_with(WORLD, fault).probes.iloc[0]

    assert first["outcome"] == "failed"
    assert first["end_s"] - first["start_s"] == pytest.approx(0.1, abs=1e-9)


def test_a_call_that_the_process_turns_down_takes_the_way_there_and_back() -> None:
    fault = "kind: replica_answers_for, node: a, model: m, other: other, at: 5s"

    result = run_with(WORLD, fault)

    (request,) = result.requests.to_dict("records")
    probe_s, call_s = 0.1, 0.1
    assert (request["outcome"], request["cause"]) == ("failed", "WrongModel")
    assert request["end_s"] - request["arrival_s"] == pytest.approx(probe_s + call_s, abs=1e-9)
