"""Faults of machines."""

import pytest

from tests.simulated.faults.worlds import outcomes, struck, told, without_and_with

FREE = """
registry: {transaction: 0ms}
network: {latency: 0ms}
"""

UNCACHED = "router: {profile: uncached}\n"
HARDENED = "router: {profile: hardened}\n"

PAIR = f"""
duration: 60s
nodes: [{{name: a}}, {{name: b}}]
models:
  - name: m
    backend: {{install_time: 2s, load_time: 20s}}
    service: {{mean: 10s, distribution: deterministic}}
    replicas: [{{node: a}}, {{node: b}}]
workload: [{{kind: burst, model: m, at: 1s, requests: 2}}]
{FREE}
"""

ALONE = PAIR.replace(", {name: b}", "").replace(", {node: b}", "")
LATER = ALONE.replace("requests: 2}", "requests: 1}, {kind: burst, model: m, at: 20s, requests: 1}")


def test_a_crashed_node_takes_the_requests_in_it_along() -> None:
    without, result = without_and_with(PAIR, "kind: node_crash, node: a, at: 5s")

    assert outcomes(without) == ["completed", "completed"]
    assert outcomes(result) == ["failed", "completed"]
    assert result.requests[["cause", "end_s"]].values.tolist()[0] == ["Unavailable", 5]
    assert told(result, "fault_struck", "process_ended") == [
        (5, "fault_struck", "a", "node_crash"),
        (5, "process_ended", "a#0", "crashed"),
    ]


def test_a_crashed_node_answers_nobody_until_it_is_back() -> None:
    without, result = without_and_with(UNCACHED + LATER, "kind: node_crash, node: a, at: 15s")

    assert outcomes(without) == ["completed", "completed"]
    assert outcomes(result) == ["completed", "failed"]
    assert told(result, "row_removed") == [(20, "row_removed", "a#0", "probe_failed")]
    assert result.metrics["installs.started"] == 0


def test_a_node_comes_back_empty_and_registers_under_its_old_rows() -> None:
    _, result = without_and_with(LATER, "kind: node_crash, node: a, at: 15s, restart_after: 3s")

    assert told(result, "node_changed", "row_removed", "install_started", "row_published")[1:] == [
        (18, "node_changed", "a", "reregistered"),
        (18, "row_removed", "a#0", "reregistered"),
        (20, "install_started", "a#0", ""),
        (42, "row_published", "a#0", "cold_load"),
    ]
    assert result.metrics["installs.redundant"] == 0
    assert outcomes(result) == ["completed", "completed"]


def test_the_port_of_a_crashed_process_is_free_again() -> None:
    _, result = without_and_with(LATER, "kind: node_crash, node: a, at: 15s, restart_after: 3s")

    assert result.metrics["installs.started"] == 1
    assert result.picks["address"].unique().tolist() == ["a:50051"]
    assert outcomes(result) == ["completed", "completed"]


def test_the_memory_of_a_crashed_process_is_free_again() -> None:
    used = TWO_SIZES.replace(
        "workload:", "  - {name: big, vram: 100GB, service: {mean: 1s}, replicas: [{node: a}]}\nworkload:"
    )

    without, result = without_and_with(used, "kind: node_crash, node: a, at: 5s, restart_after: 1s")

    assert without.requests["replica"].tolist() == ["m@b#0"]
    assert result.requests["replica"].tolist() == ["m@a#0"]


def test_heartbeats_of_a_crashed_node_stop_until_the_monitor_gives_it_up() -> None:
    watched = PAIR + "control_plane: {heartbeat: 2s, health_monitor: {tick: 3s, stale_after: 10s}, reconciler: null}\n"

    without, result = without_and_with(watched, "kind: node_crash, node: a, at: 5s")

    assert without.metrics["nodes.offline"] == 0
    assert told(result, "node_changed", "row_removed") == [
        (15, "node_changed", "a", "stale_heartbeat"),
        (15, "row_removed", "a#0", "node_offline"),
    ]
    assert result.metrics["nodes.detection_max_s"] == 10


@pytest.mark.parametrize("restart", ["", ", restart_after: 500ms"])
def test_an_install_on_a_node_that_goes_down_meanwhile_fails(restart: str) -> None:
    cold = ALONE.replace("    replicas: [{node: a}]\n", "").replace("requests: 2", "requests: 1")

    without, result = without_and_with(cold, f"kind: node_crash, node: a, at: 2s{restart}")

    assert outcomes(without) == ["completed"]
    assert result.requests[["outcome", "end_s"]].values.tolist() == [["failed", 3]]
    assert result.metrics["loads.started"] == 0


def test_a_replica_that_is_to_come_up_on_a_node_that_is_down_does_not() -> None:
    late = PAIR.replace("{node: a}", "{node: a, ready_at: 10s}")

    without, result = without_and_with(late, "kind: node_crash, node: a, at: 5s")

    assert (10, "row_published", "a#0", "scenario") in told(without, "row_published")
    assert told(result, "row_published") == [(0, "row_published", "b#0", "scenario")]


TRIO = PAIR.replace("{name: b}", "{name: b}, {name: c}").replace("{node: b}", "{node: b}, {node: c}")


def test_a_group_crashes_within_its_time_the_first_node_at_once() -> None:
    _, result = without_and_with(TRIO, "kind: node_group_crash, nodes: [c, a, b], at: 5s, within: 2s")

    crashes = struck(result)
    assert sorted(node for _, node in crashes) == ["a", "b", "c"]
    assert crashes[0][0] == 5
    assert all(5 <= t_s <= 7 for t_s, _ in crashes)
    assert outcomes(result) == ["failed", "failed"]


def test_a_group_without_leeway_crashes_in_one_instant() -> None:
    _, result = without_and_with(TRIO, "kind: node_group_crash, nodes: [a, b, c], at: 5s, within: 0s")

    assert [t_s for t_s, _ in struck(result)] == [5, 5, 5]


@pytest.mark.parametrize("order", ["same", "reversed", "shuffled"])
def test_a_group_comes_back_in_the_order_it_is_told(order: str) -> None:
    fault = f"kind: node_group_crash, nodes: [a, b, c], at: 5s, within: 2s, restart_after: 9s, restart_order: {order}"

    _, result = without_and_with(TRIO, fault)

    crashes, returns = struck(result), told(result, "node_changed")
    assert [t_s for t_s, *_ in returns] == pytest.approx([t_s + 9 for t_s, _ in crashes])
    fallen, risen = [node for _, node in crashes], [node for _, _, node, _ in returns]
    assert risen == {"same": fallen, "reversed": fallen[::-1], "shuffled": risen}[order]
    assert sorted(risen) == sorted(fallen) == ["a", "b", "c"]


def test_a_crash_loop_takes_a_node_down_as_often_as_it_says() -> None:
    _, result = without_and_with(PAIR, "kind: node_crash_loop, node: a, at: 5s, every: 10s, down: 4s, times: 3")

    assert struck(result) == [(5, "a"), (15, "a"), (25, "a")]
    assert [t_s for t_s, *_ in told(result, "node_changed")] == [9, 19, 29]


def test_a_node_that_is_down_already_cannot_crash() -> None:
    faults = ("kind: node_crash, node: a, at: 5s", "kind: node_crash, node: a, at: 6s, restart_after: 1s")

    _, result = without_and_with(PAIR, *faults)

    assert struck(result) == [(5, "a")]
    assert told(result, "node_changed") == []


def test_a_paused_node_goes_on_where_it_was() -> None:
    without, result = without_and_with(PAIR, "kind: node_pause, node: a, at: 5s, lasts: 7s")

    assert without.requests["latency_s"].tolist() == [10, 10]
    assert result.requests["latency_s"].tolist() == [17, 10]
    assert struck(result) == [(5, "a")]


def test_a_paused_node_takes_nothing_new_and_answers_no_health_call() -> None:
    later = UNCACHED + PAIR.replace("at: 1s, requests: 2", "at: 6s, requests: 1")

    without, result = without_and_with(later, "kind: node_pause, node: a, at: 5s, lasts: 7s")

    assert (without.metrics["probes.timeouts"], result.metrics["probes.timeouts"]) == (0, 1)
    assert told(result, "row_removed") == [(8, "row_removed", "a#0", "probe_failed")]


def test_the_worker_of_a_paused_node_installs_late() -> None:
    cold = ALONE.replace("    replicas: [{node: a}]\n", "").replace("requests: 2", "requests: 1")

    without, result = without_and_with(cold, "kind: node_pause, node: a, at: 2s, lasts: 7s")

    assert without.requests["latency_s"].tolist() == [32]
    assert result.requests["latency_s"].tolist() == [39]


def test_heartbeats_of_a_paused_node_are_late_but_not_lost() -> None:
    watched = PAIR + "control_plane: {heartbeat: 2s, health_monitor: {tick: 3s, stale_after: 10s}, reconciler: null}\n"

    _, result = without_and_with(watched, "kind: node_pause, node: a, at: 5s, lasts: 12s")

    # The last heartbeat before it came at 4 s, the next one at 17 s.
    assert told(result, "node_changed") == [
        (15, "node_changed", "a", "stale_heartbeat"),
        (18, "node_changed", "a", "heartbeat"),
    ]


@pytest.mark.parametrize(("lasts", "latency_s"), [("", 4 + 6 * 2.5), (", lasts: 5s", 4 + 5 + 4)])
def test_a_slow_node_takes_longer_for_work_that_has_begun(lasts: str, latency_s: float) -> None:
    without, result = without_and_with(PAIR, f"kind: node_slow, node: a, at: 5s, factor: 2.5{lasts}")

    assert without.requests["latency_s"].tolist() == [10, 10]
    assert result.requests["latency_s"].tolist() == [latency_s, 10]
    assert struck(result) == [(5, "a")]


def test_processes_that_start_on_a_slow_node_are_slow_too() -> None:
    cold = ALONE.replace("    replicas: [{node: a}]\n", "").replace("requests: 2", "requests: 1")

    without, result = without_and_with(cold, "kind: node_slow, node: a, at: 0s, factor: 1.1")

    assert without.requests["latency_s"].tolist() == [32]
    assert result.requests["latency_s"].tolist() == [pytest.approx(32 * 1.1)]


DRAIN = "kind: node_drain, node: a, at: 5s"


def test_a_drained_node_loses_its_rows_and_cuts_its_requests() -> None:
    without, result = without_and_with(PAIR, DRAIN)

    assert outcomes(without) == ["completed", "completed"]
    assert outcomes(result) == ["failed", "completed"]
    assert told(result, "fault_struck", "node_changed", "row_removed", "process_ended") == [
        (5, "fault_struck", "a", "node_drain"),
        (5, "node_changed", "a", "node_drain"),
        (5, "row_removed", "a#0", "node_drain"),
        (5, "process_ended", "a#0", "drained"),
    ]


def test_a_patient_drain_lets_requests_end_first() -> None:
    _, result = without_and_with(HARDENED + PAIR, DRAIN)

    assert outcomes(result) == ["completed", "completed"]
    assert told(result, "process_ended") == [(12, "process_ended", "a#0", "drained")]


def test_a_patient_drain_loses_its_patience_after_a_minute() -> None:
    endless = HARDENED + PAIR.replace("mean: 10s", "mean: 100s")

    _, result = without_and_with(endless, DRAIN)

    assert told(result, "process_ended") == [(65, "process_ended", "a#0", "drained")]
    assert outcomes(result) == ["failed", "completed"]


def test_a_drained_node_gets_nothing_new_until_it_returns() -> None:
    text = LATER.replace("mean: 10s", "mean: 1s")

    results = without_and_with(text, DRAIN)[1], without_and_with(text, f"{DRAIN}, returns_after: 10s")[1]

    assert [outcomes(result) for result in results] == [["completed", "failed"], ["completed", "completed"]]
    assert results[0].requests["cause"].tolist()[1] == "NoReplica"
    assert told(results[1], "node_changed")[1:] == [(15, "node_changed", "a", "reregistered")]


def test_a_node_that_registers_again_loses_the_rows_of_busy_processes() -> None:
    text = LATER.replace("at: 20s", "at: 6s")

    without, result = without_and_with(text, "kind: node_reregister, node: a, at: 5s")

    assert without.metrics["rows.removed_alive"] == 0
    assert result.metrics["rows.removed_alive"] == 1
    assert told(result, "row_removed") == [(5, "row_removed", "a#0", "node_reregister")]
    assert (without.metrics["loads.redundant"], result.metrics["loads.redundant"]) == (0, 1)
    assert outcomes(result) == ["completed", "completed"]


TWO_SIZES = f"""
duration: 60s
nodes: [{{name: a, vram: 128GB}}, {{name: b, vram: 64GB}}]
models:
  - name: m
    vram: 16GB
    service: {{mean: 1s, distribution: deterministic}}
workload: [{{kind: burst, model: m, at: 10s, requests: 1}}]
{FREE}
"""


@pytest.mark.parametrize(("reports", "chosen"), [("0B", "b#0"), ("64GB", "a#0"), ("63GB", "b#0")])
def test_a_replica_is_placed_by_what_nodes_report_whatever_is_true(reports: str, chosen: str) -> None:
    without, result = without_and_with(TWO_SIZES, f"kind: node_vram_report, node: a, at: 5s, reports: {reports}")

    assert without.requests["replica"].tolist() == ["a#0"]
    assert result.requests["replica"].tolist() == [chosen]


def test_a_false_report_passes_with_its_window() -> None:
    fault = "kind: node_vram_report, node: a, at: 5s, lasts: 4s, reports: 0B"

    _, result = without_and_with(TWO_SIZES, fault)

    assert struck(result) == [(5, "a")]
    assert result.requests["replica"].tolist() == ["a#0"]


def test_heartbeats_carry_the_false_report() -> None:
    beating = "control_plane: {heartbeat: 2s, health_monitor: null, reconciler: null}\n" + TWO_SIZES

    _, result = without_and_with(beating, "kind: node_vram_report, node: a, at: 5s, lasts: 6s, reports: 0B")

    assert struck(result) == [(6, "a"), (8, "a"), (10, "a")]
    assert result.requests["replica"].tolist() == ["b#0"]


def test_a_node_that_knows_nothing_of_its_memory_looks_as_free_as_before() -> None:
    used = TWO_SIZES.replace(
        "workload:",
        """  - {name: big, vram: 100GB, service: {mean: 1s}, replicas: [{node: a}]}
  - {name: small, vram: 10GB, service: {mean: 1s}, replicas: [{node: b}]}
workload:""",
    )

    without, result = without_and_with(used, "kind: node_vram_report, node: a, at: 0s, reports: unknown")

    # In truth 28 GB are free on the one and 54 GB on the other.
    assert without.requests["replica"].tolist() == ["m@b#0"]
    assert result.requests["replica"].tolist() == ["m@a#0"]
