"""Faults of the processes that serve a model, and of starting them."""

import pytest

from tests.simulated.faults.worlds import outcomes, struck, told, without_and_with

FREE = """
registry: {transaction: 0ms}
network: {latency: 0ms}
"""

UNCACHED = "router: {profile: uncached}\n"

# The first request is served from 1 s to 11 s, the second one from 20 s.
WARM = f"""
duration: 60s
nodes: [{{name: a}}]
models:
  - name: m
    backend: {{install_time: 2s, load_time: 5s}}
    service: {{mean: 10s, distribution: deterministic}}
    replicas: [{{node: a}}]
  - name: other
    service: {{mean: 1s}}
workload:
  - {{kind: burst, model: m, at: 1s, requests: 1}}
  - {{kind: burst, model: m, at: 20s, requests: 1}}
{FREE}
"""

COLD = WARM.replace("    replicas: [{node: a}]\n", "")

REPLICA = "node: a, model: m"


@pytest.mark.parametrize(
    ("at", "when", "ends_s", "expected"),
    [
        ("5s", "any", 5, ["failed", "failed"]),
        ("15s", "any", 15, ["completed", "failed"]),
        ("5s", "busy", 5, ["failed", "failed"]),
        ("15s", "busy", 20, ["completed", "failed"]),
        ("5s", "idle", 11, ["completed", "failed"]),
        ("15s", "idle", 15, ["completed", "failed"]),
    ],
)
def test_a_process_ends_at_the_first_moment_that_suits(at: str, when: str, ends_s: float, expected: list[str]) -> None:
    without, result = without_and_with(WARM, f"kind: replica_exit, {REPLICA}, at: {at}, when: {when}")

    assert outcomes(without) == ["completed", "completed"]
    assert outcomes(result) == expected
    assert told(result, "fault_struck", "process_ended", "row_removed") == [
        (ends_s, "fault_struck", "a#0", "replica_exit"),
        (ends_s, "process_ended", "m@a#0", "replica_exit"),
    ]


def test_queued_requests_keep_a_process_from_being_idle() -> None:
    queued = WARM.replace("at: 20s", "at: 2s")

    without, result = without_and_with(queued, f"kind: replica_exit, {REPLICA}, at: 5s, when: idle")

    assert struck(result) == [(21, "a#0")]
    assert outcomes(result) == outcomes(without) == ["completed", "completed"]


def test_a_process_that_is_not_there_yet_ends_once_it_has_something_to_do() -> None:
    without, result = without_and_with(COLD, f"kind: replica_exit, {REPLICA}, at: 0s, when: busy")

    # It is installed at 3 s, and its first work is to load the model.
    assert struck(result) == [(3, "a#0")]
    assert (without.metrics["loads.failed"], result.metrics["loads.failed"]) == (0, 1)


def test_the_row_of_a_process_that_has_ended_stays_until_somebody_looks() -> None:
    without, result = without_and_with(UNCACHED + WARM, f"kind: replica_exit, {REPLICA}, at: 15s")

    assert without.metrics.get("rows.stale_s") is None
    assert result.metrics["rows.stale_s"] == 5
    assert told(result, "row_removed", "install_started", "row_published")[1:] == [
        (20, "row_removed", "m@a#0", "probe_failed"),
        (20, "install_started", "m@a#0", ""),
        (27, "row_published", "m@a#0", "cold_load"),
    ]


@pytest.mark.parametrize(("index", "expected"), [(0, ["failed", "completed"]), (1, ["completed", "failed"])])
def test_only_the_replica_of_that_index_ends(index: int, expected: list[str]) -> None:
    two = (
        WARM.replace("{name: a}", "{name: a, slots: 2}")
        .replace("[{node: a}]", "[{node: a}, {node: a}]")
        .replace("at: 20s", "at: 2s")
    )

    _, result = without_and_with(two, f"kind: replica_exit, {REPLICA}, index: {index}, at: 5s")

    assert outcomes(result) == expected


def test_a_process_that_hangs_for_good_answers_nobody_any_more() -> None:
    without, result = without_and_with(UNCACHED + WARM, f"kind: replica_hang, {REPLICA}, at: 5s")

    assert outcomes(without) == ["completed", "completed"]
    assert outcomes(result) == ["unfinished", "failed"]
    assert result.probes[["end_s", "outcome", "process_alive"]].values.tolist()[1] == [22, "timeout", True]
    assert struck(result) == [(5, "a#0")]


def test_a_process_that_hangs_for_a_while_goes_on_where_it_was() -> None:
    without, result = without_and_with(WARM, f"kind: replica_hang, {REPLICA}, at: 5s, lasts: 4s")

    assert without.requests["latency_s"].tolist() == [10, 10]
    assert result.requests["latency_s"].tolist() == [14, 10]


def test_a_process_that_hangs_takes_nothing_new() -> None:
    _, result = without_and_with(WARM, f"kind: replica_hang, {REPLICA}, at: 15s, lasts: 8s")

    assert result.requests["start_s"].tolist() == [1, 23]


def test_a_process_that_has_forgotten_its_model_loses_its_row_and_loads_again() -> None:
    later = WARM.replace("workload:\n", "workload:\n  - {kind: burst, model: m, at: 30s, requests: 1}\n")

    without, result = without_and_with(later, f"kind: replica_forgets_model, {REPLICA}, at: 15s")

    assert outcomes(without) == ["completed"] * 3
    assert outcomes(result) == ["completed", "failed", "completed"]
    assert told(result, "fault_struck", "row_removed", "load_started") == [
        (15, "fault_struck", "a#0", "replica_forgets_model"),
        (20, "row_removed", "m@a#0", "ModelNotLoaded"),
        (30, "load_started", "m@a#0", ""),
    ]
    assert result.metrics["loads.redundant"] == 0


def test_a_request_that_runs_while_its_process_forgets_the_model_is_served_to_its_end() -> None:
    _, result = without_and_with(WARM, f"kind: replica_forgets_model, {REPLICA}, at: 5s")

    assert outcomes(result) == ["completed", "failed"]


def test_another_model_at_an_address_passes_the_probe_and_fails_the_request() -> None:
    fault = f"kind: replica_answers_for, {REPLICA}, at: 15s, other: other"

    without, result = without_and_with(UNCACHED + WARM, fault)

    assert outcomes(without) == ["completed", "completed"]
    assert result.probes["outcome"].tolist() == ["ok", "ok"]
    assert result.requests["cause"].tolist()[1] == "WrongModel"
    assert told(result, "fault_struck", "process_ended", "row_removed") == [
        (15, "fault_struck", "a#0", "replica_answers_for"),
        (15, "process_ended", "m@a#0", "replica_answers_for"),
        (20, "row_removed", "m@a#0", "WrongModel"),
    ]


def test_requests_at_an_address_fail_when_another_model_takes_it() -> None:
    _, result = without_and_with(WARM, f"kind: replica_answers_for, {REPLICA}, at: 5s, other: other")

    assert result.requests[["outcome", "end_s"]].values.tolist()[0] == ["failed", 5]


def test_a_process_whose_row_is_lost_works_on_and_is_loaded_into_again() -> None:
    without, result = without_and_with(WARM, f"kind: row_lost, {REPLICA}, at: 5s")

    assert told(result, "fault_struck", "row_removed") == [
        (5, "fault_struck", "a#0", "row_lost"),
        (5, "row_removed", "m@a#0", "row_lost"),
    ]
    assert outcomes(result) == ["completed", "completed"]
    assert (without.metrics["rows.removed_alive"], result.metrics["rows.removed_alive"]) == (0, 1)
    assert (without.metrics["loads.redundant"], result.metrics["loads.redundant"]) == (0, 1)


def test_a_row_that_a_pick_holds_is_lost_when_the_pick_has_ended() -> None:
    slow = WARM.replace("transaction: 0ms", "transaction: 200ms")

    _, result = without_and_with(slow, f"kind: row_lost, {REPLICA}, at: 1100ms")

    assert struck(result) == [(1.2, "a#0")]


def test_no_row_is_lost_where_there_is_none() -> None:
    without, result = without_and_with(COLD, f"kind: row_lost, {REPLICA}, at: 0s")

    assert struck(result) == []
    assert result.requests["latency_s"].tolist() == without.requests["latency_s"].tolist()


@pytest.mark.parametrize(
    ("start_time", "outcome", "end_s"),
    [("10s", "completed", 28), ("30s", "completed", 48), ("30001ms", "failed", 33)],
)
def test_a_slow_start_holds_up_a_load_or_fails_it_after_30_s(start_time: str, outcome: str, end_s: float) -> None:
    without, result = without_and_with(COLD, f"kind: slow_start, model: m, at: 0s, start_time: {start_time}")

    assert without.requests["end_s"].tolist()[0] == 18
    assert result.requests[["outcome", "end_s"]].values.tolist()[0] == [outcome, end_s]
    assert struck(result)[0] == (3, "a#0")


def test_a_start_on_another_node_or_after_the_window_is_as_fast_as_ever() -> None:
    on_two = COLD.replace("{name: a}", "{name: a}, {name: b}")
    elsewhere = "kind: slow_start, model: m, node: b, at: 0s, start_time: 10s"
    too_early = "kind: slow_start, model: m, at: 0s, lasts: 3s, start_time: 10s"

    for fault in (elsewhere, too_early):
        without, result = without_and_with(on_two, fault)

        assert struck(result) == []
        assert result.requests["latency_s"].tolist() == without.requests["latency_s"].tolist()


def test_loads_fail_as_far_as_they_get() -> None:
    without, result = without_and_with(COLD, "kind: load_failure, model: m, at: 0s, after: 4s")

    assert (without.metrics["loads.failed"], result.metrics["loads.failed"]) == (0, 2)
    assert result.requests[["outcome", "end_s"]].values.tolist() == [["failed", 7], ["failed", 24]]
    assert struck(result) == [(3, "a#0"), (20, "a#0")]


@pytest.mark.parametrize("limit", ["times: 1", "lasts: 10s"])
def test_loads_succeed_once_the_failures_are_over(limit: str) -> None:
    _, result = without_and_with(COLD, f"kind: load_failure, model: m, at: 0s, {limit}")

    assert outcomes(result) == ["failed", "completed"]
    assert struck(result) == [(3, "a#0")]


def test_loads_of_other_models_or_on_other_nodes_succeed() -> None:
    on_two = COLD.replace("{name: a}", "{name: a}, {name: b}")

    for target in ("model: other", "model: m, node: b"):
        _, result = without_and_with(on_two, f"kind: load_failure, {target}, at: 0s")

        assert outcomes(result) == ["completed", "completed"]


@pytest.mark.parametrize("edits", ["unload", "revision"])
def test_an_edit_of_a_model_has_the_next_request_load_it_with_the_new_options(edits: str) -> None:
    router = f"router: {{control: {{edits: {edits}}}}}\n"

    _, result = without_and_with(router + WARM, "kind: model_edit, frontend: 0, model: m, at: 15s")

    assert struck(result) == [(15, "m")]
    assert outcomes(result) == ["completed", "completed"]
    assert (result.metrics["requests.outdated"], result.metrics["loads.started"]) == (0, 1)


def test_an_edit_through_a_frontend_that_is_down_does_not_happen() -> None:
    _, result = without_and_with(
        WARM, "kind: frontend_crash, frontend: 0, at: 12s", "kind: model_edit, frontend: 0, model: m, at: 15s"
    )

    assert struck(result) == [(12, "frontend 0")]
