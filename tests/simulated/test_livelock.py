"""A run in which time could stand still ends all the same: failures take time, or an error names who spins."""

import pytest

from sim import loads
from sim.simulated.kernel import livelock
from sim.simulated.kernel.livelock import Livelock, most_events_at_once
from sim.study.run import run_scenario

IMPATIENT = """
name: impatient
duration: 20s
nodes: [{name: a}]
models: [{name: m, service: {mean: 1s, distribution: deterministic}%s}]
workload: [{kind: closed, model: m, users: 1}]
"""
SERVED = IMPATIENT % ", replicas: [{node: a}]"
NO_TIME = (
    "registry: {transaction: 0s}\nnetwork: {latency: 0s}\n"
    "router: {cancellation: propagated, liveness: none, failure_domain: replica}\n"
)


def test_a_frontend_that_is_down_refuses_after_a_round_trip() -> None:
    file = loads(f"{SERVED}network: {{latency: 5ms}}\nfaults: [{{kind: frontend_crash, frontend: 0, at: 15s}}]\n")

    requests = run_scenario(file.variants["default"]).requests

    down = requests[requests["cause"] == "frontend_down"]
    assert (down["end_s"] - down["arrival_s"]).round(9).unique().tolist() == [0.01]
    assert len(down) == 500


@pytest.mark.parametrize(
    ("scenario", "fault"),
    [
        (SERVED, "kind: frontend_crash, frontend: 0, at: 5s"),
        (SERVED, "kind: node_crash, node: a, at: 5s"),
        (IMPATIENT % "", "kind: load_failure, model: m, at: 0s"),
    ],
    ids=["frontend_crash", "node_crash", "load_failure"],
)
def test_a_user_whose_requests_fail_in_no_time_is_named_by_an_error(
    scenario: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Up to the true limit it would go round for seconds.
    monkeypatch.setattr(livelock, "MOST_EVENTS_AT_ONCE", 5_000)
    file = loads(f"{scenario}{NO_TIME}faults: [{{{fault}}}]\n")

    with pytest.raises(Livelock, match=r"impatient, variant default, seed 0: time stands still at .*user 0"):
        run_scenario(file.variants["default"])


def test_the_events_that_one_instant_may_have_grow_with_the_requests_of_the_plan() -> None:
    assert most_events_at_once(0) == 100_000
    assert most_events_at_once(1_000_000) > 100 * 1_000_000
