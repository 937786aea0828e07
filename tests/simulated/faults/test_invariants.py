"""The invariants themselves: each finds the bug that it is there for."""

import pytest

from sim.measure.events import EventKind, status_flag
from sim.measure.records import MISSING
from sim.routing.outcomes import ProbeOutcome
from sim.routing.states import NodeStatus
from sim.study.run import RunResult
from tests.simulated.faults.compose import composed
from tests.simulated.faults.invariants import UNHEARD_NS, broken_invariants


@pytest.fixture
def result() -> RunResult:
    sound = composed(("node_slow", "clock_coarse"), "fixed")
    assert broken_invariants(sound) == []
    return sound


def test_a_request_that_ends_before_it_arrives_is_noticed(result: RunResult) -> None:
    requests = result.records.requests
    requests.cells[requests.columns.index("end_ns")] = -5

    assert "a request ended before it arrived" in broken_invariants(result)


def test_a_request_that_ends_without_an_outcome_is_noticed(result: RunResult) -> None:
    requests = result.records.requests
    requests.cells[requests.columns.index("outcome")] = MISSING

    assert "a request has an end without an outcome, or the other way round" in broken_invariants(result)


def test_an_outcome_of_no_kind_is_noticed(result: RunResult) -> None:
    requests = result.records.requests
    requests.cells[requests.columns.index("outcome")] = 17

    assert "a request has an outcome of no kind" in broken_invariants(result)


def test_time_that_goes_back_is_noticed(result: RunResult) -> None:
    picks = result.records.picks
    picks.cells[-len(picks.columns) + picks.columns.index("t_ns")] = 1

    assert "something recorded later happened earlier" in broken_invariants(result)


def test_a_pick_on_a_node_that_is_offline_is_noticed(result: RunResult) -> None:
    records, picks = result.records, result.records.picks
    t_ns, replica = picks["t_ns"].tolist()[5], picks["replica"].tolist()[5]
    node = list(records.replicas)[replica].node
    offline = status_flag(NodeStatus.OFFLINE)
    since_ns = t_ns - 2 * UNHEARD_NS
    records.events.append(
        0, since_ns, EventKind.NODE_CHANGED, MISSING, MISSING, MISSING, MISSING, offline, records.subjects[node]
    )

    assert f"{node} was picked at {t_ns} ns while it was offline" in broken_invariants(result)


def test_two_probes_of_one_frontend_at_once_are_noticed(result: RunResult) -> None:
    probes = result.records.probes
    for seq in (10**6, 10**6 + 1):
        probes.append(seq, 0, 0, 0, 10**12, 10**12 + 5, ProbeOutcome.OK, 1)

    assert "frontend 0 had two probes of address 0 under way at once" in broken_invariants(result)
