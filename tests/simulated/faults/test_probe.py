"""Faults of health calls."""

import pytest

from tests.simulated.faults.worlds import outcomes, struck, told, without_and_with

FREE = """
registry: {transaction: 0ms}
network: {latency: 0ms}
"""

UNCACHED = "router: {profile: uncached}\n"
HARDENED = "router: {profile: hardened}\n"
DETACHED = "router: {probe: {sharing: detached}}\n"

ONE = f"""
duration: 60s
nodes: [{{name: a}}]
models:
  - name: m
    backend: {{workers: 8, health: independent, load_time: 5s}}
    service: {{mean: 1s, distribution: deterministic}}
    replicas: [{{node: a}}]
workload: [{{kind: burst, model: m, at: 10s, requests: 1}}]
{FREE}
"""

WHOLE = {
    "probe_timeout": "kind: probe_timeout",
    "probe_error": "kind: probe_error, rate: 1",
    "probe_false_negative": "kind: probe_false_negative, rate: 1",
    "probe_flapping": "kind: probe_flapping, period: 120s",
}
OUTCOMES = {
    "probe_timeout": "timeout",
    "probe_error": "failed",
    "probe_false_negative": "failed",
    "probe_flapping": "failed",
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_live_replica_loses_its_row_to_a_probe_that_goes_wrong(kind: str) -> None:
    without, result = without_and_with(ONE, WHOLE[kind])

    assert without.metrics["rows.removed_alive"] == 0
    assert result.metrics["rows.removed_alive"] == 1
    assert result.probes[["outcome", "process_alive"]].values.tolist() == [[OUTCOMES[kind], True]]
    assert struck(result) == [(10, "a#0")]
    assert outcomes(result) == ["completed"]


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("limit", ["at: 0s, lasts: 10s", "at: 10001ms", "node: b"])
def test_a_probe_outside_the_window_or_of_another_node_goes_well(kind: str, limit: str) -> None:
    two = ONE.replace("{name: a}", "{name: a}, {name: b}")

    _, result = without_and_with(two, f"{WHOLE[kind]}, {limit}")

    assert struck(result) == []
    assert result.metrics["probes.ok"] == 1


def test_probes_of_the_health_monitor_go_wrong_as_well() -> None:
    watched = ONE.replace("replicas: [{node: a}]", "replicas: [{node: a}, {node: a}]").replace(
        "{name: a}", "{name: a, slots: 2}"
    )
    loops = "control_plane: {health_monitor: {tick: 2s, misses: 3}, reconciler: null}\n"

    without, result = without_and_with(loops + watched, "kind: probe_error, rate: 1, at: 0s, lasts: 9s")

    # The replica at the node's own address is never probed.
    assert told(without, "row_removed") == []
    assert struck(result) == [(2, "a#1"), (4, "a#1"), (6, "a#1")]
    assert told(result, "row_removed") == [(6, "row_removed", "a#1", "monitor_misses")]


def test_a_probe_without_an_answer_ends_at_its_limit() -> None:
    without, result = without_and_with(ONE, "kind: probe_timeout")

    assert without.probes[["start_s", "end_s"]].values.tolist() == [[10, 10]]
    assert result.probes[["start_s", "end_s"]].values.tolist() == [[10, 12]]


@pytest.mark.parametrize(("offset_ns", "outcome"), [(-1, "ok"), (0, "timeout"), (1, "timeout")])
def test_a_reply_is_in_time_only_if_it_comes_before_the_deadline(offset_ns: int, outcome: str) -> None:
    without, result = without_and_with(ONE, f"kind: probe_reply_at_deadline, offset_ns: {offset_ns}")

    assert without.probes["outcome"].tolist() == ["ok"]
    assert result.probes["outcome"].tolist() == [outcome]
    assert result.records.probes["end_ns"].tolist() == [12_000_000_000 + min(0, offset_ns)]


def test_each_probe_has_the_deadline_of_whoever_sent_it() -> None:
    loops = "control_plane: {health_monitor: {tick: 4s, probe_timeout: 3s}, reconciler: null}\n"
    two = ONE.replace("replicas: [{node: a}]", "replicas: [{node: a}, {node: a}]").replace(
        "{name: a}", "{name: a, slots: 2}"
    )

    _, early = without_and_with(loops + two, "kind: probe_reply_at_deadline, offset_ns: -1, at: 0s, lasts: 19s")
    _, late = without_and_with(
        loops + two.replace("at: 10s", "at: 50s"), "kind: probe_reply_at_deadline, offset_ns: 0, at: 0s, lasts: 19s"
    )

    # The monitor's probes may take 3 s, those of requests 2 s.
    of_requests = early.probes[early.probes["request"].notna()]
    assert of_requests["outcome"].tolist() == ["ok"]
    assert set(early.probes["outcome"]) == {"ok"}
    assert told(early, "row_removed") == []
    assert told(late, "row_removed") == [(15, "row_removed", "a#1", "monitor_misses")]


def test_a_late_reply_holds_up_the_route() -> None:
    without, result = without_and_with(ONE, "kind: probe_late_reply, delay: 1500ms")

    assert without.requests["route_s"].tolist() == [0]
    assert result.requests["route_s"].tolist() == [1.5]
    assert struck(result) == [(10, "a#0")]


def test_a_reply_later_than_the_timeout_is_none() -> None:
    _, result = without_and_with(ONE, "kind: probe_late_reply, delay: 3s")

    assert result.probes["outcome"].tolist() == ["timeout"]
    assert result.metrics["rows.removed_alive"] == 1


def test_a_refusal_is_late_too() -> None:
    dead = UNCACHED + ONE

    _, alone = without_and_with(dead, "kind: replica_exit, node: a, model: m, at: 5s")
    _, both = without_and_with(
        dead, "kind: replica_exit, node: a, model: m, at: 5s", "kind: probe_late_reply, delay: 1s"
    )

    assert alone.probes[["end_s", "outcome"]].values.tolist() == [[10, "failed"]]
    assert both.probes[["end_s", "outcome"]].values.tolist() == [[11, "failed"]]


def test_a_dead_replica_keeps_its_row_if_the_probe_says_it_lives() -> None:
    death = "kind: replica_exit, node: a, model: m, at: 5s"

    _, known = without_and_with(UNCACHED + ONE, death)
    _, believed = without_and_with(UNCACHED + ONE, death, "kind: probe_false_positive")

    assert (known.metrics["rows.removed"], believed.metrics["rows.removed"]) == (1, 0)
    assert (outcomes(known), outcomes(believed)) == (["completed"], ["failed"])
    assert believed.probes[["outcome", "process_alive"]].values.tolist() == [["ok", False]]


def test_a_probe_that_goes_well_is_no_false_positive() -> None:
    _, result = without_and_with(ONE, "kind: probe_false_positive")

    assert struck(result) == []


def test_a_busy_replica_is_not_called_dead_before_it_has_answered() -> None:
    busy = UNCACHED + ONE.replace("workers: 8, health: independent", "workers: 1").replace(
        "at: 10s, requests: 1", "at: 10s, requests: 2"
    )

    _, result = without_and_with(busy, "kind: probe_false_negative, rate: 1, at: 10001ms")

    # The second request's probe has begun before the fault, so it is answered truly.
    assert struck(result) == []
    assert result.metrics["rows.removed"] == 0


def test_flapping_probes_fail_in_the_first_half_of_each_period() -> None:
    many = UNCACHED + ONE.replace(
        "workload: [{kind: burst, model: m, at: 10s, requests: 1}]",
        "workload: [{kind: burst, model: m, at: 1s, every: 2s, requests: 1}]",
    ).replace("load_time: 5s", "load_time: 0s, install_time: 0s")

    without, result = without_and_with(many, "kind: probe_flapping, at: 10s, period: 20s")

    failed = result.probes[result.probes["outcome"] == "failed"]["start_s"]
    assert without.metrics["probes.failed"] == 0
    assert failed.tolist() == [11, 13, 15, 17, 19, 31, 33, 35, 37, 39, 51, 53, 55, 57, 59]
    assert [t_s for t_s, _ in struck(result)] == failed.tolist()


# Three clients whose requests come while the first one's probe is on its way.
LEADER_OWNED = "router: {probe: {sharing: leader_owned}}\n"
TOGETHER = ONE.replace("at: 10s, requests: 1", "at: 10s, requests: 3, spread: 0s").replace(
    "network: {latency: 0ms}", "network: {latency: 5ms}"
)
LEADER = "kind: probe_leader_leaves, at: 0s, lasts: 10005ms"
CALLERS = "kind: probe_callers_leave, at: 0s, lasts: 10005ms"


def test_a_leader_that_leaves_has_its_followers_delete_a_live_row() -> None:
    without, result = without_and_with(LEADER_OWNED + TOGETHER, LEADER)

    assert outcomes(without) == ["completed"] * 3
    assert outcomes(result) == ["cancelled", "completed", "completed"]
    assert result.requests[["cause", "end_s"]].values.tolist()[0] == ["client_left", 10.01]
    assert (without.metrics["rows.removed_alive"], result.metrics["rows.removed_alive"]) == (0, 1)
    assert struck(result) == [(10.01, "a#0")]


@pytest.mark.parametrize("router", [DETACHED, HARDENED])
def test_a_probe_that_belongs_to_nobody_outlives_the_client_that_began_it(router: str) -> None:
    _, result = without_and_with(router + TOGETHER, LEADER)

    assert outcomes(result) == ["cancelled", "completed", "completed"]
    assert result.metrics["rows.removed"] == 0
    assert result.probes["outcome"].tolist() == ["ok"]


def test_every_client_is_the_leader_of_a_probe_that_is_not_shared() -> None:
    _, result = without_and_with(UNCACHED + TOGETHER, LEADER)

    assert outcomes(result) == ["cancelled"] * 3
    assert result.metrics["rows.removed"] == 0
    assert result.metrics["in_flight.final"] == 0


@pytest.mark.parametrize("router", [LEADER_OWNED, DETACHED, HARDENED, UNCACHED])
def test_when_all_callers_leave_nobody_deletes_the_row(router: str) -> None:
    without, result = without_and_with(router + TOGETHER, CALLERS)

    assert outcomes(without) == ["completed"] * 3
    assert outcomes(result) == ["cancelled"] * 3
    assert result.requests["end_s"].tolist() == [10.01] * 3
    assert result.metrics["rows.removed"] == 0
    assert result.metrics["in_flight.final"] == 0


def test_callers_of_another_replica_or_of_another_frontend_stay() -> None:
    four = TOGETHER.replace("requests: 3", "requests: 4").replace("duration: 60s", "duration: 60s\nfrontends: 2")
    two = four.replace("{name: a}", "{name: a}, {name: b}").replace("[{node: a}]", "[{node: a}, {node: b}]")

    _, result = without_and_with(two, f"{CALLERS}, node: a")

    left = result.requests[result.requests["outcome"] == "cancelled"]["request"].tolist()
    assert left == result.picks[result.picks["replica"] == "a#0"]["request"].tolist()[: len(left)]
    assert 0 < len(left) < 4


def test_a_probe_that_no_client_waits_for_is_left_alone() -> None:
    loops = "control_plane: {health_monitor: {tick: 2s}, reconciler: null}\n"
    none = ONE.replace("at: 10s, requests: 1", "at: 59s, requests: 1")

    _, result = without_and_with(loops + none, LEADER, CALLERS)

    assert struck(result) == []


def test_leaders_leave_one_after_the_other_whatever_the_order_within_an_instant() -> None:
    shuffled = TOGETHER.replace("duration: 60s", "duration: 60s\ntie_order: shuffle\nseed: 5")

    for fault in (LEADER, CALLERS):
        _, result = without_and_with(shuffled, fault)

        assert "cancelled" in outcomes(result)
        assert "unfinished" not in outcomes(result)
