from array import array
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.measure import tables
from sim.measure.facts import RunFacts, Totals
from sim.measure.recording.recorder import Recorder
from sim.measure.recording.records import MISSING, Codes, Records, Table
from sim.measure.summary import summarise
from sim.routing.fleet import NodeStatus
from sim.routing.outcomes import Answer, AnswerSource, Outcome, ProbeOutcome
from sim.routing.ports import Journal
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from tests.hand_clock import HandClock
from tests.recorders import recorder_by

FACTS = RunFacts(models=("m",))


def request(number: int, arrival_ns: int = 0) -> Request:
    return Request(number, "m", 0, 0, arrival_ns, 0, 0, 0)


def replica(node: str, address: str) -> Replica:
    return Replica("1", ReplicaKey(node, "m", 0), address, in_flight=0, last_used_ns=0, available_vram_bytes=0)


def recorder_where(is_alive: Callable[[str], bool] = bool) -> Recorder:
    return recorder_by(HandClock(), is_alive)


def test_a_recorder_is_a_journal() -> None:
    journal: Journal = recorder_where()  # the type checker proves it

    journal.arrived(request(0))


def test_a_request_out_of_turn_is_refused() -> None:
    recorder = recorder_where()
    recorder.arrived(request(0))

    with pytest.raises(ValueError, match="request 2 arrived where request 1 was due"):
        recorder.arrived(request(2))


def test_a_call_that_is_made_again_leaves_no_trace_of_service_but_an_event() -> None:
    recorder, key = recorder_where(), ReplicaKey("a", "m", 0)
    recorder.arrived(request(0))
    recorder.routed(request(0), key)
    recorder.served_from(request(0))
    recorder.first_token(request(0))
    recorder.retried(request(0), key, "Unavailable")
    recorder.ended(request(0), Outcome.FAILED, "NoReplica")

    row = {name: recorder.records.requests[name].item() for name in ("start_ns", "first_token_ns", "served_ns")}
    assert row == dict.fromkeys(row, MISSING)
    assert tables.events(recorder.records, FACTS)[["kind", "replica", "request", "cause"]].values.tolist() == [
        ["call_retried", "a#0", 0, "Unavailable"]
    ]


def test_a_vouch_completes_the_last_pick_of_its_own_request() -> None:
    recorder = recorder_where()
    recorder.arrived(request(0))
    recorder.arrived(request(1))
    for number in (0, 1, 0):
        recorder.picked(request(number), replica("a", "a:1"), None)

    recorder.vouched(request(0), Answer(True, AnswerSource.SHARED))

    assert recorder.records.picks["source"].tolist() == [MISSING, MISSING, AnswerSource.SHARED]


def test_a_probe_is_judged_by_the_truth_about_its_own_address() -> None:
    # The replica came back at a new address, and was picked there, while the probe of the old one was under way.
    recorder = recorder_where(lambda address: address == "new")
    recorder.arrived(request(0))
    recorder.picked(request(0), replica("a", "new"), None)

    for address in ("old", "new"):
        recorder.probed(request(0), ReplicaKey("a", "m", 0), address, 0, ProbeOutcome.TIMEOUT)

    assert recorder.records.probes["process_alive"].tolist() == [False, True]


def test_falsely_dead_is_only_what_a_probe_said_of_a_process_that_lived() -> None:
    recorder = recorder_where(lambda address: address == "alive")
    recorder.arrived(request(0))
    recorder.picked(request(0), replica("a", "alive"), None)
    for address in ("alive", "gone"):
        for outcome in ProbeOutcome:
            recorder.probed(request(0), ReplicaKey("a", "m", 0), address, 0, outcome)

    metrics = summarise(recorder.records, Totals(0, 0, 0, 0, end_ns=0), FACTS)

    assert (metrics["probes.sent"], metrics["probes.ok"], metrics["probes.false_dead"]) == (6, 2, 2)


def test_memory_stays_below_300_bytes_per_request() -> None:
    recorder, number_of_requests = recorder_where(), 10_000
    for number in range(number_of_requests):
        recorder.arrived(request(number))
        recorder.picked(request(number), replica("a", "a:1"), None)
        recorder.ended(request(number), Outcome.COMPLETED, "")

    tables = recorder.records.requests, recorder.records.picks
    held = sum(len(table.cells) * table.cells.itemsize for table in tables)

    assert held / number_of_requests < 300


@given(st.lists(st.sampled_from([*Outcome, None]), max_size=50))
def test_the_outcomes_add_up_to_the_requests_offered(outcomes: list[Outcome | None]) -> None:
    recorder = recorder_where()
    for number, outcome in enumerate(outcomes):
        recorder.arrived(request(number))
        if outcome is not None:
            recorder.ended(request(number), outcome, "")

    metrics = summarise(recorder.records, Totals(0, 0, 0, 0, end_ns=0), FACTS)

    kinds = ("completed", "failed", "rejected", "cancelled", "unfinished")
    assert metrics["requests.offered"] == len(outcomes) == sum(metrics[f"requests.{kind}"] for kind in kinds)


def written() -> Records:
    """Return records with something in every table."""
    recorder = recorder_where()
    recorder.arrived(request(0))
    recorder.picked(request(0), replica("a", "a:1"), None)
    recorder.probed(request(0), ReplicaKey("a", "m", 0), "a:1", 0, ProbeOutcome.OK)
    recorder.row_removed(ReplicaKey("a", "m", 0), "a:1", "reaped", None)
    recorder.lock_waited(5)
    return recorder.records


@given(st.data())
def test_the_digest_changes_with_any_recorded_integer(data: st.DataObject) -> None:
    records = written()
    before = records.digest()
    table: Table = getattr(records, data.draw(st.sampled_from(["requests", "picks", "probes", "events", "lock_waits"])))
    cell = data.draw(st.integers(0, len(table.cells) - 1))
    change = data.draw(st.integers(-(2**40), 2**40).filter(bool))

    table.cells[cell] += change

    assert records.digest() != before


@pytest.mark.parametrize("names", ["models", "replicas", "causes", "addresses"])
def test_the_digest_changes_with_any_name(names: str) -> None:
    records = written()
    before = records.digest()

    codes: Codes[str | ReplicaKey] = getattr(records, names)
    codes[ReplicaKey("new", "m", 1) if names == "replicas" else "new"]

    assert records.digest() != before


def test_the_digest_does_not_change_from_one_machine_to_another() -> None:
    assert written().digest() == "f8d0d60b467d06733ed9b90f02a316dd"


def test_the_digest_of_the_same_story_is_the_same() -> None:
    assert written().digest() == written().digest()


def test_names_are_numbered_in_the_order_of_first_use() -> None:
    codes: Codes[str] = Codes()

    numbers = [codes[name] for name in ["b", "a", "b", "c"]]

    assert numbers == [0, 1, 0, 2]
    assert list(codes) == ["b", "a", "c"]


def test_a_column_is_a_view_of_the_table_not_a_copy() -> None:
    table = Table("x", "y")
    table.append(1, 2)
    table.append(3, 4)

    column = table["y"]

    assert column.tolist() == [2, 4]
    assert np.shares_memory(column, np.frombuffer(table.cells, dtype=np.int64))
    assert isinstance(table.cells, array)


def test_a_column_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        Table("x", "y")["z"]


def test_a_request_that_has_ended_cannot_end_again() -> None:
    recorder = recorder_where()
    recorder.arrived(request(0))
    recorder.ended(request(0), Outcome.FAILED, "Unavailable")

    with pytest.raises(ValueError, match="request 0 has ended before"):
        recorder.ended(request(0), Outcome.COMPLETED, "")


def test_the_timeline_tells_of_nodes_models_and_faults_with_their_causes() -> None:
    recorder = recorder_where()
    recorder.fault_struck("node_crash", "n0")
    recorder.process_ended(ReplicaKey("n0", "m", 0), "n0:1", "crashed")
    recorder.node_changed("n0", NodeStatus.OFFLINE, "stale_heartbeat")
    recorder.scaled("m", 2, "below_minimum")
    recorder.scaled("m", -1, "idle")

    told = tables.events(recorder.records, FACTS)

    assert told["kind"].tolist() == ["fault_struck", "process_ended", "node_changed", "scaled", "scaled"]
    assert told["cause"].tolist() == ["node_crash", "crashed", "stale_heartbeat", "below_minimum", "idle"]
    assert told["subject"].astype(object).fillna("").tolist() == ["n0", "", "n0", "m", "m"]
    assert told["status"].astype(object).fillna("").tolist() == ["", "", "offline", "", ""]
    assert told["scaled_by"].fillna(0).tolist() == [0, 0, 0, 2, -1]
