"""Wrong clocks, seen in the last uses that a frontend writes, and in what others make of them."""

import pytest

from sim.measure.result import RunResult
from tests.simulated.faults.worlds import run_with, struck, told, without_and_with

ALONE = """
duration: 20s
nodes: [{name: a}, {name: b}]
models:
  - name: m
    service: {mean: 100ms, distribution: deterministic}
    replicas: [{node: a}, {node: b}]
registry: {transaction: 0ms}
network: {latency: 0ms}
workload: [{kind: uniform, model: m, rate: 1/s}]
"""
TWO = f"{ALONE}frontends: 2\n"
WATCHED = f"{TWO}control_plane: {{reconciler: null}}\n".replace("20s", "60s")
RECONCILED = f"{TWO}control_plane: {{health_monitor: null, reconciler: {{tick: 7s}}}}\n".replace(
    "    replicas", "    scheduling: {min: 1}\n    replicas"
)


def turns(result: RunResult) -> str:
    """Return the nodes in the order in which they were picked."""
    return "".join(str(replica)[0] for replica in result.picks["replica"])


def last_uses(result: RunResult) -> list[float]:
    """Return when each replica that was picked had been used last, as far as it had been."""
    used: list[float] = result.picks["last_used_s"].tolist()[2:]
    return used


def test_a_replica_used_by_a_frontend_that_is_ahead_waits_longer_for_its_next_turn() -> None:
    right, wrong = without_and_with(TWO, "kind: clock_offset, frontend: 0, ahead: 5m")

    assert turns(right) == "abababababababababa"
    assert turns(wrong) == "abbaabbaabbaabbaabb"
    # The last pick that reads what the frontend wrote is that of 17 s, on a replica that it used at 15 s.
    assert wrong.picks["last_used_s"].max() == 300 + 15
    assert struck(wrong) == [(0, "frontend 0")]


def test_a_frontend_that_is_ahead_takes_living_nodes_for_silent_and_the_other_takes_them_back() -> None:
    right, wrong = without_and_with(WATCHED, "kind: clock_offset, frontend: 1, ahead: 61s, at: 20s")

    changes = [(what, why) for _, _, what, why in told(wrong, "node_changed")]
    assert (right.metrics["nodes.offline"], told(right, "node_changed")) == (0, [])
    assert wrong.metrics["nodes.offline"] >= 6
    assert changes[:4] == [("a", "stale_heartbeat"), ("b", "stale_heartbeat"), ("a", "heartbeat"), ("b", "heartbeat")]
    assert wrong.metrics["rows.removed_alive"] > 0


@pytest.mark.parametrize("percent", [5, -5, 0.5])
def test_a_clock_that_drifts_writes_times_that_are_off_by_a_part_of_the_time_since(percent: float) -> None:
    right, wrong = without_and_with(ALONE, f"kind: clock_drift, frontend: 0, percent: {percent}, at: 5s")

    drifted = [used + max(0, used - 5) * percent / 100 for used in last_uses(right)]
    assert last_uses(right) == [float(second) for second in range(1, 18)]
    assert last_uses(wrong) == pytest.approx(drifted, abs=1e-9)
    assert struck(wrong) == [(5, "frontend 0")]


def test_a_clock_that_steps_back_keeps_the_replica_used_after_it_the_least_recently_used() -> None:
    right, wrong = without_and_with(ALONE, "kind: clock_step, frontend: 0, at: 10500ms, behind: 1h")

    assert turns(wrong)[:11] == turns(right)[:11]
    assert turns(wrong)[11:] == "aaaaaaaa"
    assert last_uses(wrong)[10:] == [12 - 3600 + second for second in range(7)]
    assert struck(wrong) == [(10.5, "frontend 0")]


def test_a_frozen_clock_makes_all_replicas_look_alike_until_it_goes_on() -> None:
    right, wrong = without_and_with(ALONE, "kind: clock_frozen, frontend: 0, at: 5500ms, lasts: 10s")

    assert last_uses(right)[4:] == [float(second) for second in range(5, 18)]
    # The sixth and the seventh still read what was written before.
    assert last_uses(wrong)[5:14] == [5.5] * 9
    assert turns(wrong) == "abababa" + "aaaaaaaa" + "abab"
    assert struck(wrong) == [(5.5, "frontend 0")]


def test_a_frozen_clock_shows_the_wrong_time_at_which_it_stopped() -> None:
    wrong = run_with(
        ALONE,
        "kind: clock_drift, frontend: 0, percent: 5",
        "kind: clock_frozen, frontend: 0, at: 10500ms",
    )

    assert wrong.picks["last_used_s"].max() == 10.5 * 1.05


def test_a_coarse_clock_makes_different_moments_look_alike() -> None:
    often = ALONE.replace("1/s", "4/s")

    right, wrong = without_and_with(often, "kind: clock_coarse, frontend: 0, step: 1s, at: 10s")

    assert {used % 1 for used in last_uses(right)} == {0, 0.25, 0.5, 0.75}
    assert {used % 1 for used in last_uses(wrong) if used >= 10} == {0}
    assert turns(right)[40:] == "ab" * 19 + "a"
    assert turns(wrong)[40:] == "aaaab" + "aaab" * 8 + "aa"
    assert struck(wrong) == [(10, "frontend 0")]


def test_a_frontend_in_a_zone_behind_makes_busy_replicas_look_idle_for_hours() -> None:
    right, wrong = without_and_with(RECONCILED, "kind: clock_zone, frontend: 0, behind: 2h")

    assert right.metrics["scaling.downs"] == 0
    assert wrong.metrics["scaling.downs"] == 1
    # To the other frontend's reconciler a use of half a second ago is two hours old.
    assert told(wrong, "scaled", "row_removed") == [(17.5, "scaled", "m", "idle"), (17.5, "row_removed", "a#0", "idle")]
    assert wrong.requests[wrong.requests["arrival_s"] == 17]["replica"].tolist() == ["a#0"]
    assert struck(wrong) == [(0, "frontend 0")]


@pytest.mark.parametrize(
    "fault",
    [
        "kind: clock_offset, frontend: 0, ahead: 5m",
        "kind: clock_drift, frontend: 0, percent: 5",
        "kind: clock_step, frontend: 0, at: 5s, ahead: 1h",
        "kind: clock_frozen, frontend: 0, at: 5s",
        "kind: clock_coarse, frontend: 0, step: 1s",
        "kind: clock_zone, frontend: 0, ahead: 14h",
    ],
)
def test_a_frontend_with_a_wrong_clock_still_measures_its_own_times_right(fault: str) -> None:
    right, wrong = without_and_with(ALONE, fault)

    assert wrong.requests["latency_s"].tolist() == right.requests["latency_s"].tolist()
    assert wrong.probes["start_s"].tolist() == right.probes["start_s"].tolist()
    assert wrong.digest == run_with(ALONE, fault).digest
