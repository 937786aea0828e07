"""Faults of the registry, each against the same world without it."""

import pytest

from sim.routing.replica import NULL
from tests.simulated.faults.worlds import outcomes, struck, told, without_and_with


def world(
    workload: str, *, replicas: str = "a b", service: str = "1s", transaction: str = "2ms", more: str = ""
) -> str:
    """Return a scenario text with replicas of one model on these nodes, where everything takes a known time."""
    placed = ", ".join(f"{{node: {node}}}" for node in replicas.split())
    return f"""
duration: 40s
drain_limit: 60s
nodes: [{{name: a, vram: 24GB}}, {{name: b, vram: 48GB}}]
models:
  - name: m
    backend: {{workers: 8, install_time: 1s, load_time: 10s}}
    service: {{mean: {service}, distribution: deterministic}}
    replicas: [{placed}]
registry: {{transaction: {transaction}}}
network: {{latency: 0ms}}
workload: [{workload}]
{more}"""


def burst(at: str, requests: int = 1, more: str = "") -> str:
    return f"{{kind: burst, model: m, at: {at}, requests: {requests}{more}}}"


def bursts(*moments: str) -> str:
    return ", ".join(burst(at) for at in moments)


TRANSACTION_FAULTS = {
    "transaction_abort": "kind: transaction_abort, rate: 1",
    "deadlock": "kind: deadlock, rate: 1",
    "connection_lost": "kind: connection_lost, rate: 1, when: before_commit",
    "registry_outage": "kind: registry_outage",
    "statement_timeout": "kind: statement_timeout, limit: 1ms",
}


@pytest.mark.parametrize("fault", TRANSACTION_FAULTS.values(), ids=TRANSACTION_FAULTS.keys())
def test_a_fault_of_transactions_fails_the_requests_of_its_window_and_no_others(fault: str) -> None:
    sound, faulty = without_and_with(world(bursts("5s", "15s")), f"{fault}, at: 4s, lasts: 5s")

    assert outcomes(sound) == ["completed", "completed"]
    assert outcomes(faulty) == ["failed", "completed"]
    assert faulty.requests["cause"].tolist()[0] in ("NotCommitted", "Unavailable")
    assert faulty.metrics["in_flight.final"] == 0
    assert {place for _, place in struck(faulty)} == {"frontend 0"}


@pytest.mark.parametrize("fault", TRANSACTION_FAULTS.values(), ids=TRANSACTION_FAULTS.keys())
def test_a_fault_of_one_frontend_leaves_the_transactions_of_others_alone(fault: str) -> None:
    shared = world(burst("5s", requests=2), more="frontends: 2")

    _, faulty = without_and_with(shared, f"{fault}, frontend: 1, at: 4s, lasts: 5s")

    assert outcomes(faulty) == ["completed", "failed"]
    assert {place for _, place in struck(faulty)} == {"frontend 1"}


@pytest.mark.parametrize(("frontends", "offline"), [("", 2), (", frontend: 0", 0)], ids=["everybody", "a frontend"])
def test_an_outage_for_everybody_keeps_heartbeats_from_being_heard(frontends: str, offline: int) -> None:
    watched = world(
        "",
        more="frontends: 2\ncontrol_plane: {heartbeat: 2s, health_monitor: {tick: 2s, stale_after: 6s}}",
    )

    # The monitor's first pass after the outage finds heartbeats older than its limit.
    sound, faulty = without_and_with(watched, f"kind: registry_outage, at: 5s, lasts: 10s{frontends}")

    assert sound.metrics["nodes.offline"] == 0
    assert faulty.metrics["nodes.offline"] == offline


def test_an_aborted_transaction_takes_its_time_before_it_fails() -> None:
    _, faulty = without_and_with(world(burst("5s"), transaction="100ms"), TRANSACTION_FAULTS["transaction_abort"])

    # The pick is aborted, then the lock for a load.
    assert struck(faulty) == [(5.1, "frontend 0"), (5.2, "frontend 0")]
    assert faulty.requests["end_s"].tolist() == [5.2]
    assert len(faulty.picks) == 0


def test_the_victim_of_a_deadlock_waits_before_it_fails() -> None:
    sound, faulty = without_and_with(world(burst("5s")), "kind: deadlock, rate: 1, wait: 3s")

    assert faulty.requests["end_s"].tolist() == [11]
    assert faulty.records.lock_waits["wait_ns"].tolist() == [3_000_000_000] * 2
    assert sound.records.lock_waits["wait_ns"].tolist() == []


def test_a_connection_lost_after_the_commit_leaves_what_the_pick_has_counted() -> None:
    lost = "kind: connection_lost, rate: 1, when: {}, at: 4s, lasts: 5s"

    _, before = without_and_with(world(burst("5s")), lost.format("before_commit"))
    _, after = without_and_with(world(burst("5s")), lost.format("after_commit"))

    assert [outcomes(result) for result in (before, after)] == [["failed"], ["failed"]]
    assert (before.metrics["in_flight.final"], after.metrics["in_flight.final"]) == (0, 1)


def test_a_lock_whose_connection_is_lost_is_free_for_the_next() -> None:
    cold = world(bursts("5s", "15s"), replicas="")

    _, faulty = without_and_with(cold, "kind: connection_lost, rate: 1, when: after_commit, at: 4s, lasts: 5s")

    assert outcomes(faulty) == ["failed", "completed"]


def test_rows_that_somebody_else_has_locked_keep_picks_waiting() -> None:
    sound, faulty = without_and_with(world(burst("5s")), "kind: lock_held, model: m, at: 4s, lasts: 5s")

    assert sound.requests["route_s"].tolist()[0] < 1
    assert faulty.picks["t_s"].tolist() == [9.002]
    assert struck(faulty) == [(4, "a#0"), (4, "b#0")]
    assert faulty.records.lock_waits["wait_ns"].tolist() == [4_000_000_000]


def test_a_statement_timeout_counts_the_wait_for_a_lock() -> None:
    held = "kind: lock_held, model: m, at: 4s, lasts: 5s"

    _, patient = without_and_with(world(burst("5s")), held)
    _, bounded = without_and_with(world(burst("5s")), held, "kind: statement_timeout, limit: 500ms")

    # Both picks of the request are broken off, so it loads a replica though there are two. This takes an eviction
    # that waits for the same rows, half a second each time, until they are free after 9 s.
    broken_off_s = [round(t_s, 6) for t_s, place in struck(bounded) if place == "frontend 0"]
    assert broken_off_s == [5.5, 6.002, 6.504, 7.504, 8.504]
    assert (patient.metrics["loads.started"], bounded.metrics["loads.started"]) == (0, 1)


def test_a_statement_that_takes_just_as_long_as_the_limit_is_in_time() -> None:
    _, in_time = without_and_with(world(burst("5s")), "kind: statement_timeout, limit: 2ms")
    _, too_late = without_and_with(world(burst("5s")), "kind: statement_timeout, limit: 1999us")

    assert (outcomes(in_time), outcomes(too_late)) == (["completed"], ["failed"])


def test_an_exhausted_pool_lets_one_transaction_through_at_a_time() -> None:
    sound, faulty = without_and_with(
        world(burst("5s", requests=3), transaction="100ms", more="router: {pick: serial}"),
        "kind: pool_exhausted, connections: 1",
    )

    assert sound.picks["t_s"].tolist() == [5.1, 5.1, 5.1]
    assert faulty.picks["t_s"].tolist() == [5.1, 5.2, 5.3]
    assert faulty.metrics["requests.completed"] == 3


@pytest.mark.parametrize(("lasts", "unfinished"), [("", 2), (", lasts: 20s", 0)], ids=["for good", "until it passes"])
def test_a_pool_whose_last_connection_waits_for_a_lock_stands_still(lasts: str, unfinished: int) -> None:
    cold = world(burst("5s", requests=2), replicas="")

    sound, faulty = without_and_with(cold, f"kind: pool_exhausted, connections: 1{lasts}")

    assert sound.metrics["requests.unfinished"] == 0
    assert faulty.metrics["requests.unfinished"] == unfinished


def test_stale_reads_send_everybody_to_the_replica_that_was_idle() -> None:
    sound, faulty = without_and_with(
        world(bursts("5s", "5500ms", "6s", "6500ms"), service="10s"), "kind: stale_reads, age: 2s"
    )

    assert sound.requests["replica"].tolist() == ["b#0", "a#0", "b#0", "a#0"]
    assert faulty.requests["replica"].tolist() == ["b#0"] * 4
    assert faulty.picks["in_flight"].tolist() == [0, 0, 0, 0]


def test_stale_reads_hide_a_replica_that_has_just_been_loaded() -> None:
    sound, faulty = without_and_with(world(bursts("1s", "13s"), replicas=""), "kind: stale_reads, age: 5s")

    assert (sound.metrics["loads.started"], faulty.metrics["loads.started"]) == (1, 2)


def test_stale_reads_are_over_when_their_window_is() -> None:
    _, faulty = without_and_with(
        world(bursts("5s", "5500ms", "9s", "9100ms"), service="10s"), "kind: stale_reads, age: 2s, lasts: 8s"
    )

    assert faulty.requests["replica"].tolist() == ["b#0", "b#0", "a#0", "a#0"]


def test_a_deleted_row_is_loaded_anew_while_its_process_lives() -> None:
    sound, faulty = without_and_with(world(burst("6s"), replicas="a"), "kind: row_deleted, node: a, model: m, at: 5s")

    assert told(faulty, "row_removed") == [(5.002, "row_removed", "a#0", "row_deleted")]
    assert (faulty.metrics["rows.removed_alive"], sound.metrics["rows.removed_alive"]) == (1, 0)
    assert (faulty.metrics["loads.started"], sound.metrics["loads.started"]) == (1, 0)


def test_a_pick_that_waits_for_a_row_while_it_is_deleted_takes_the_next_one() -> None:
    waiting = world(burst("5s"), transaction="200ms")

    sound, faulty = without_and_with(waiting, "kind: row_deleted, node: b, model: m, at: 4900ms")

    assert sound.picks[["t_s", "replica"]].values.tolist() == [[5.2, "b#0"]]
    # It waits for the row until 5.1 s, finds it gone, and takes the other.
    assert faulty.picks[["t_s", "replica"]].values.tolist() == [[5.3, "a#0"]]


def test_two_rows_of_one_replica_draw_more_than_its_share_of_a_burst() -> None:
    sound, faulty = without_and_with(
        world(burst("5s", requests=6), service="10s", more="router: {pick: locked}"),
        "kind: duplicate_row, node: a, model: m, at: 1s",
    )

    assert sound.picks["replica"].value_counts().to_dict() == {"a#0": 3, "b#0": 3}
    assert faulty.picks["replica"].value_counts()["a#0"] > 3


def test_writes_by_key_reach_both_rows_of_a_replica() -> None:
    sound, faulty = without_and_with(world(burst("5s"), replicas="a"), "kind: duplicate_row, node: a, model: m, at: 1s")

    # The pick counts on one row, the start of the call on both, and its end takes two from both.
    assert (faulty.metrics["in_flight.floor_hits"], sound.metrics["in_flight.floor_hits"]) == (1, 0)
    assert faulty.metrics["in_flight.final"] == 0
    assert faulty.metrics["in_flight.drift_s"] == pytest.approx(1, abs=0.01)


def test_both_rows_of_a_replica_go_when_it_is_deleted_by_key() -> None:
    twice = "kind: duplicate_row, node: a, model: m, at: 1s"

    _, faulty = without_and_with(
        world(burst("6s"), replicas="a"), twice, "kind: row_deleted, node: a, model: m, at: 5s"
    )

    assert faulty.metrics["loads.started"] == 1


def test_a_count_that_is_null_sorts_last_and_stays_null() -> None:
    sound, faulty = without_and_with(
        world(burst("5s", requests=4, more=", spread: 1s"), service="10s"),
        "kind: null_value, node: a, model: m, at: 1s, column: in_flight",
    )
    _, alone = without_and_with(
        world(bursts("5s", "6s"), replicas="a"), "kind: null_value, node: a, model: m, at: 1s, column: in_flight"
    )

    assert sound.picks["replica"].value_counts().to_dict() == {"a#0": 2, "b#0": 2}
    assert faulty.picks["replica"].tolist() == ["b#0"] * 4
    assert alone.picks["in_flight"].tolist() == [NULL, NULL]
    assert (alone.metrics["in_flight.final"], alone.metrics["in_flight.drift_s"]) == (0, 0)


def test_a_last_use_that_is_null_sorts_last_until_the_row_is_used() -> None:
    sound, faulty = without_and_with(
        world(bursts("5s", "7s", "9s", "9500ms", "12s", "14s")),
        "kind: null_value, node: a, model: m, at: 1s, column: last_used",
    )

    assert sound.requests["replica"].tolist() == ["b#0", "a#0"] * 3
    # The fourth request comes while the third is served; from then on the replicas take turns as ever.
    assert faulty.requests["replica"].tolist() == ["b#0", "b#0", "b#0", "a#0", "b#0", "a#0"]


def test_free_memory_that_is_null_sorts_first() -> None:
    sound, faulty = without_and_with(
        world(burst("5s")), "kind: null_value, node: a, model: m, at: 1s, column: available_vram"
    )

    assert sound.requests["replica"].tolist() == ["b#0"]
    assert faulty.requests["replica"].tolist() == ["a#0"]


def test_a_lost_advisory_lock_lets_a_second_load_in() -> None:
    sound, faulty = without_and_with(
        world(bursts("1s", "2s"), replicas=""), "kind: advisory_lock_lost, model: m, at: 5s"
    )

    assert (sound.metrics["loads.started"], faulty.metrics["loads.started"]) == (1, 2)
    assert struck(faulty) == [(5, "frontend 0")]


def test_who_lost_an_advisory_lock_does_not_free_that_of_the_next() -> None:
    _, faulty = without_and_with(
        world(bursts("1s", "2s", "6s"), replicas=""), "kind: advisory_lock_lost, model: m, at: 5s"
    )

    # The first load ends at 12 s. The second goes into the same process, as no row tells of the first, and ends at
    # 15 s; only then does the third request look at the rows.
    assert faulty.requests["routed_s"].tolist() == pytest.approx([12.0, 15.0, 15.0], abs=0.1)
    assert faulty.metrics["requests.completed"] == 3
