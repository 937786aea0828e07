"""Counts that get lost: what the registry counts as in flight against the places that requests hold."""

import pytest

from sim import loads
from sim.measure.recording.recorder import Recorder
from sim.programs.at_work import Programs
from sim.scenario import make_plan
from sim.simulated.world import World
from sim.study.run import run
from tests.scenario.spec.fault_cases import KEYS
from tests.simulated.faults.compose import WORLD
from tests.simulated.faults.worlds import run_with

LOSING = [
    "kind: transaction_abort, rate: 0.05",
    "kind: connection_lost, rate: 0.05, when: before_commit",
    "kind: connection_lost, rate: 0.05, when: after_commit",
    "kind: probe_error, rate: 1, at: 5s, lasts: 10s",
    "kind: frontend_crash, frontend: 1, at: 6010ms",
    "kind: frontend_crash, frontend: 1, at: 6010ms, restart_after: 3s",
    *(
        f"kind: {kind}, {KEYS[kind][0]}".removesuffix(", ")
        for kind in (
            "deadlock",
            "statement_timeout",
            "registry_outage",
            "row_deleted",
            "duplicate_row",
            "null_value",
            "node_crash",
            "node_drain",
            "replica_exit",
            "message_loss",
            "probe_leader_leaves",
            "probe_false_negative",
            "client_leaves",
            "frontend_pause",
        )
    ),
]
"""Faults after which every request has ended, by their keys."""


def the_world_after(fault: str, profile: str) -> World:
    text = f"{WORLD.split('variants:')[0]}router: {{profile: {profile}}}\nfaults: [{{{fault}}}]\n"
    (scenario,) = loads(text).variants.values()
    recorder = Recorder()
    world = World(make_plan(scenario, 3), [recorder], Programs())
    world.run()
    assert recorder.records.requests["outcome"].min() >= 0, "a request has not ended"
    return world


# In the short form, each fault under two of the four in turn.
@pytest.mark.parametrize(
    ("fault", "profile"),
    [
        pytest.param(fault, profile, marks=pytest.mark.long if (at + number) % 2 else ())
        for at, fault in enumerate(LOSING)
        for number, profile in enumerate(("pinned", "fixed", "head", "hardened"))
    ],
)
def test_when_all_requests_have_ended_every_count_that_is_left_is_drift(fault: str, profile: str) -> None:
    table = the_world_after(fault, profile).parts.database.table

    assert table.places_held() == 0
    assert (table.total_in_flight() == 0) or table.drift_ns() > 0


ONE_REPLICA = """
duration: 60s
nodes: [{name: n0, slots: 1}]
models: [{name: m, service: {mean: 100ms}, replicas: [{node: n0}]}]
workload: [{kind: poisson, model: m, rate: 2/s}]
"""


def test_without_a_fault_no_count_drifts() -> None:
    metrics = run_with(ONE_REPLICA).metrics

    assert (metrics["in_flight.final"], metrics["in_flight.drift_s"]) == (0, 0)


@pytest.mark.parametrize(
    "fault", ["kind: transaction_abort, rate: 0.05", "kind: connection_lost, rate: 0.05, when: after_commit"]
)
def test_transactions_that_fail_leave_counts_behind_and_that_is_drift(fault: str) -> None:
    metrics = run_with(ONE_REPLICA, fault).metrics

    assert metrics["requests.unfinished"] == 0
    assert metrics["in_flight.final"] > 0
    assert metrics["in_flight.drift_s"] > 1


ABORTS = "kind: transaction_abort, rate: 0.05"


@pytest.mark.parametrize("fault", [ABORTS, "kind: deadlock, rate: 0.05, wait: 1s"])
def test_hardened_takes_every_count_back_that_a_transaction_known_to_have_failed_has_left(fault: str) -> None:
    table = the_world_after(fault, "hardened").parts.database.table

    assert table.total_in_flight() == 0
    assert table.drift_ns() > 0, "each was one too many until then"


@pytest.mark.parametrize("seed", range(3))
def test_at_the_fix_an_aborted_transaction_fails_a_request_only_before_it_has_its_route(seed: int) -> None:
    """Without the unloading of whole models, by which a failed load breaks the connections of other requests."""
    alone = ("router.profile=fixed", "router.failure_domain=replica")

    requests = run(loads(f"name: aborts\n{ONE_REPLICA}\nfaults: [{{{ABORTS}}}]\n", alone), seed=seed).requests

    failed = requests[requests["outcome"] == "failed"]
    assert failed["route_s"].isna().all()
    assert len(failed) < len(requests) * 0.05, "a pick that fails leads to a load, which looks for a row once more"
