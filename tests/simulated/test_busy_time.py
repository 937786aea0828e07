"""Time for which a replica is busy: from the start of service to its end at the backend, however far the client is."""

import pytest

from sim import loads
from sim.measure.result import RunResult
from sim.study.run import run

HALF_BUSY = """
name: half-busy
duration: 200s
nodes: [{name: n0, slots: 1}, {name: n1, slots: 1}]
models:
  - name: m
    backend: {health: independent}
    service: {mean: 1s, distribution: deterministic}
    replicas: [{node: n0}]
router: {profile: hardened}
network: {latency: LATENCY}
workload: [{kind: uniform, model: m, rate: 0.5/s}]
"""


def run_at(latency: str, faults: str = "") -> RunResult:
    return run(loads(HALF_BUSY.replace("LATENCY", latency) + faults))


@pytest.mark.parametrize("latency", ["0ms", "1ms", "500ms"])
def test_a_replica_that_serves_for_a_second_in_two_is_half_utilized_whatever_the_latency(latency: str) -> None:
    metrics = run_at(latency).metrics

    assert metrics["replicas.n0#0.utilization"] == pytest.approx(0.5, abs=0.01)


def test_the_answer_reaches_the_client_one_latency_and_two_decrements_after_the_end_of_service() -> None:
    requests = run_at("500ms").requests

    assert (requests["served_s"] - requests["start_s"]).tolist() == pytest.approx([1.0] * len(requests))
    assert (requests["end_s"] - requests["served_s"]).tolist() == pytest.approx([0.504] * len(requests))


def test_messages_that_a_fault_delays_keep_no_replica_busy() -> None:
    slow_network = "faults: [{kind: network_latency, least: 400ms, mean: 600ms}]"

    metrics = run_at("0ms", slow_network).metrics

    assert metrics["replicas.n0#0.utilization"] == pytest.approx(0.5, abs=0.02)


def test_a_process_that_ends_is_busy_to_its_end() -> None:
    requests = run_at("500ms", "faults: [{kind: replica_exit, node: n0, model: m, at: 100600ms}]").requests

    (broken_off,) = requests[requests["outcome"] == "failed"].itertuples()
    assert broken_off.served_s == pytest.approx(100.6)
    assert broken_off.end_s == pytest.approx(101.104)
