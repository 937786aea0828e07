"""Why a row was deleted: by whom, on which evidence, and what was true of its process."""

from collections.abc import Iterator

import pytest

from sim import NoSuchRequest, NoSuchRow, explain, loads, run
from sim.measure.story.row_story import RowLife
from sim.measure.story.row_witness import RowWitness
from sim.measure.story.steps import Step
from sim.routing.outcomes import ProbeOutcome
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request

TWO = """
name: two
duration: 3m
nodes: [{name: a, slots: 1}, {name: b, slots: 1}]
registry: {transaction: 0s}
network: {latency: 0s}
models:
  - name: m
    backend: {health: independent, load_time: 5s}
    service: {mean: 500ms, distribution: deterministic}
    replicas: [{node: a}, {node: b}]
workload: [{kind: poisson, model: m, rate: 1/s}]
"""

# Of probe_stall without a probe cache: the probe of request 11, sent at 103.002 s, waits behind requests 9 and 10.
FIRST_ROW = """
row 1
    0.000000            can be picked: the scenario has it (scenario)
                        16 picks, the last at 103.010000 s
                        19 answered health calls, the last at 102.057331 s
  105.002000            a health call of request 11: it gives no answer within 2 s, though its process is alive and \
serves request 10
  105.004000            is deleted for request 11: the probe of a request said that it is dead (probe_failed); its \
process is alive and serves request 10
"""


# A missed probe leaves the row: that of request 73 is missed at 63.1 s. From 65 s on, the process answers again.
HUNG_FOR_5_S = """
router: {{profile: hardened, probe: {{ttl: 1s}}}}
faults:
  - {{kind: replica_hang, model: m, node: a, at: 60s, lasts: 5s}}
  - {{kind: row_deleted, model: m, node: a, at: {deleted_at}}}
"""

DELETED_LATER = {
    "64s": ["fault_struck 60 s", "probed 63 s", "fault_struck 64 s"],
    "2m": ["fault_struck 120 s"],
}


def lives(text: str, row: str = "a#0") -> tuple[RowLife, ...]:
    return explain(run(loads(text)), row=row).lives


def in_short(life: RowLife) -> list[str]:
    return [f"{step.what} {step.t_ns // 10**9} s" for step in life.evidence]


def removals(text: str, row: str = "a#0") -> Iterator[Step]:
    return (life.removed for life in lives(text, row) if life.removed is not None)


def test_a_row_that_a_busy_process_loses_is_told_with_the_probe_and_the_request_in_its_way() -> None:
    story = explain(run("scenarios/probe_stall.yaml", "uncached"), row="dgx-spark1#0")

    assert repr(story).splitlines()[1:7] == FIRST_ROW.strip("\n").splitlines()


def test_a_row_that_nobody_deletes_is_there_to_the_end() -> None:
    story = explain(run(loads(TWO)), row="a#0")
    (life,) = story.lives

    assert repr(story).endswith("is there to the end")
    assert life.removed is None
    assert life.evidence == []
    assert life.picks > 0
    assert life.answers > 0


def test_of_a_crash_the_fault_and_the_end_of_the_process_come_before_the_row_goes() -> None:
    faults = "control_plane: {}\nfaults: [{kind: node_crash, node: a, at: 60s, restart_after: 1m}]\n"

    life = lives(TWO + faults)[0]

    assert [step.what for step in life.evidence][:2] == ["fault_struck", "process_ended"]
    assert life.removed is not None
    assert life.removed.t_ns > 60e9
    assert life.removed.facts["process_alive"] is False


@pytest.mark.parametrize(("node", "told"), {"a": ["fault_struck"], "ab": []}.items())
def test_only_a_fault_of_its_own_node_or_replica_speaks_against_a_row(node: str, told: list[str]) -> None:
    names_alike = TWO.replace("node: b", "node: ab").replace("name: b", "name: ab")
    never_asked_again = "router: {liveness: none, probe: {ttl: 1h}}\n"
    fault = f"faults: [{{kind: replica_hang, model: m, node: {node}, at: 60s}}]\n"

    (life,) = lives(names_alike + never_asked_again + fault)

    assert [step.what for step in life.evidence] == told


def test_the_document_of_a_row_has_what_became_known_of_it() -> None:
    (row,) = explain(run(loads(TWO + HUNG_FOR_5_S.format(deleted_at="64s"))), row="a#0").document["rows"]

    assert row["published"]["t_s"] == 0
    assert row["last_answer_s"] < 60 < row["last_picked_s"] < row["removed"]["t_s"] == 64
    assert [step["what"] for step in row["evidence"]] == ["fault_struck", "probed", "fault_struck"]


@pytest.mark.parametrize(("node", "told"), {"a": ["fault_struck 60 s", "node_changed 120 s"], "b": []}.items())
def test_only_its_own_node_that_is_given_up_speaks_against_a_row(node: str, told: list[str]) -> None:
    never_asked_again = "control_plane: {reconciler: null}\nrouter: {liveness: none, probe: {ttl: 1h}}\n"
    silent = f"faults: [{{kind: node_pause, node: {node}, at: 60s, lasts: 1m}}]\n"

    (life,) = lives(TWO + never_asked_again + silent)

    assert in_short(life) == told


def test_of_a_health_call_that_no_request_made_a_loop_is_named() -> None:
    no_requests = TWO.partition("workload")[0] + "workload: []\n"
    reconciled = "control_plane: {health_monitor: null, reconciler: {stale_row_after: 1m}}\n"
    refused = "faults: [{kind: probe_error, node: a, rate: 1, at: 55s, lasts: 1m}]\n"

    story = explain(run(loads(no_requests + reconciled + refused)), row="a#0")

    assert "a health call of a loop: it " in repr(story)


@pytest.mark.parametrize(("deleted_at", "told"), DELETED_LATER.items())
def test_what_spoke_against_a_row_is_told_only_until_it_has_answered(deleted_at: str, told: list[str]) -> None:
    (life,) = lives(TWO + HUNG_FOR_5_S.format(deleted_at=deleted_at))

    assert in_short(life) == told


def test_the_rows_of_a_replica_are_numbered_once_there_are_two() -> None:
    one_node = TWO.replace(", {name: b, slots: 1}", "").replace(", {node: b}", "")
    deleted = "faults: [{kind: row_deleted, model: m, node: a, at: 60s}]\n"

    lines = repr(explain(run(loads(one_node + deleted)), row="a#0")).splitlines()

    headings = [line for line in lines if not line.startswith(" ")]
    assert headings == ["two, default, seed 0: a#0 had 2 rows", "row 1", "row 2"]


def test_a_row_that_a_fault_deletes_names_the_fault() -> None:
    (removal,) = removals(TWO + "faults: [{kind: row_deleted, model: m, node: a, at: 60s}]\n")

    assert removal.facts == {"cause": "row_deleted", "process_alive": True}


def test_a_replica_without_a_row_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(NoSuchRow, match=r"two, default, seed 0 has no row of 'a#1'; allowed: .*did you mean 'a#0'\?"):
        explain(run(loads(TWO)), row="a#1")


def test_a_request_that_never_came_is_refused_with_the_range_and_the_nearest() -> None:
    result = run(loads(TWO))
    last = len(result.requests) - 1

    with pytest.raises(NoSuchRequest, match=rf"has no request {last + 5}; allowed: 0 to {last}; the nearest is {last}"):
        explain(result, request=last + 5)


def test_a_witness_that_takes_every_answer_for_a_failure_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    probed = RowWitness.probed

    def none_answered(
        witness: RowWitness, request: Request | None, key: ReplicaKey, address: str, started_ns: int, _: ProbeOutcome
    ) -> None:
        probed(witness, request, key, address, started_ns, ProbeOutcome.FAILED)

    monkeypatch.setattr(RowWitness, "probed", none_answered)

    with pytest.raises(AssertionError):
        test_a_row_that_a_busy_process_loses_is_told_with_the_probe_and_the_request_in_its_way()
