"""Frontends that die, freeze, work twice or go by other settings."""

import pytest

from tests.simulated.faults.worlds import outcomes, run_with, struck, told, without_and_with

FREE = """
registry: {transaction: 0ms}
network: {latency: 0ms}
"""
PAIR = f"""
duration: 30s
nodes: [{{name: a}}, {{name: b}}]
models:
  - name: m
    backend: {{workers: 4}}
    service: {{mean: 5s, distribution: deterministic}}
    replicas: [{{node: a}}, {{node: b}}]
frontends: 2
workload: [{{kind: burst, model: m, at: 1s, requests: 6}}, {{kind: burst, model: m, at: 12s, requests: 2}}]
{FREE}"""
COLD = f"""
duration: 60s
nodes: [{{name: a}}, {{name: b}}]
models:
  - name: m
    backend: {{load_time: 20s}}
    service: {{mean: 1s, distribution: deterministic}}
frontends: 2
workload: [{{kind: burst, model: m, at: 1s, requests: 2}}]
{FREE}"""
STEADY = """
duration: 20s
nodes: [{name: a}]
models:
  - name: m
    service: {mean: 1s, distribution: deterministic}
    replicas: [{node: a}]
registry: {transaction: 2ms}
network: {latency: 5ms}
workload:
  - {kind: uniform, model: m, rate: 0.5/s}
"""


def test_a_crashed_frontend_fails_what_it_had_and_leaves_its_reservations_in_the_registry() -> None:
    calm, crashed = without_and_with(PAIR, "kind: frontend_crash, frontend: 0, at: 3s")

    assert (outcomes(calm), calm.metrics["in_flight.final"]) == (["completed"] * 8, 0)
    assert crashed.requests[["frontend", "outcome", "end_s"]].values.tolist() == [
        *[[0, "failed", 3], [1, "completed", 6]] * 3,
        *[[0, "failed", 12], [1, "completed", 17]],
    ]
    assert crashed.requests["cause"].tolist()[::2] == ["frontend_crashed"] * 3 + ["frontend_down"]
    # Each running request counts twice.
    assert crashed.metrics["in_flight.final"] == 2 * 3
    assert struck(crashed) == [(3, "frontend 0")]


def test_what_a_crash_leaks_is_told_from_what_is_held() -> None:
    calm, crashed = without_and_with(PAIR, "kind: frontend_crash, frontend: 0, at: 3s")

    assert calm.metrics["in_flight.drift_s"] == 0
    # Six places that nobody holds, from the crash to the end.
    assert crashed.metrics["in_flight.drift_s"] == pytest.approx(6 * 27)


def test_others_keep_away_from_the_replica_that_a_crash_has_left_counted() -> None:
    alone = PAIR.replace("requests: 6}", "requests: 1}").replace("requests: 2}", "requests: 4}")

    calm, crashed = without_and_with(alone, "kind: frontend_crash, frontend: 0, at: 3s, restart_after: 1s")

    assert sorted(calm.requests["replica"][1:]) == ["a#0", "a#0", "b#0", "b#0"]
    assert sorted(crashed.requests["replica"][1:]) == ["a#0", "b#0", "b#0", "b#0"]


def test_a_frontend_that_is_back_knows_nothing_of_the_one_before() -> None:
    calm, crashed = without_and_with(STEADY, "kind: frontend_crash, frontend: 0, at: 5500ms, restart_after: 3s")

    assert calm.probes["start_s"].round(3).tolist() == [2.002]
    assert crashed.probes["start_s"].round(3).tolist() == [2.002, 10.002]
    assert outcomes(crashed) == ["completed"] * 2 + ["failed"] * 2 + ["completed"] * 5


def test_the_lock_of_a_crashed_frontend_is_free_at_once_for_another_to_load() -> None:
    calm, crashed = without_and_with(COLD, "kind: frontend_crash, frontend: 0, at: 5s")

    assert told(calm, "install_started") == [(1, "install_started", "a#0", "")]
    # The first load has left no row, so the second one goes to the same place.
    assert told(crashed, "install_started", "load_ended", "row_published") == [
        (1, "install_started", "a#0", ""),
        (5, "install_started", "a#0", ""),
        (25, "load_ended", "a#0", ""),
        (25, "row_published", "a#0", "cold_load"),
    ]
    assert outcomes(crashed) == ["failed", "completed"]


def test_a_load_on_its_own_dies_with_its_frontend_and_is_done_again_once_it_is_found_orphaned() -> None:
    jobs = "router: {profile: hardened}\n" + COLD.replace("60s", "90s").replace(
        "requests: 2}",
        "requests: 2}, {kind: burst, model: m, at: 59s, requests: 2}, {kind: burst, model: m, at: 70s, requests: 2}",
    )

    calm, crashed = without_and_with(jobs, "kind: frontend_crash, frontend: 0, at: 5s")

    assert told(calm, "row_published") == [(23, "row_published", "a#0", "cold_load")]
    # Its last sign of life came at 4 s; until 64 s the others believe that it is loading.
    assert [t_s for t_s, *_ in told(crashed, "install_started")] == [1, 70]
    assert told(crashed, "load_ended", "row_published") == [
        (92, "load_ended", "b#0", ""),
        (92, "row_published", "b#0", "cold_load"),
    ]
    assert outcomes(crashed)[1::2] == ["rejected", "completed", "completed"]


def test_a_probe_on_its_own_dies_with_its_frontend() -> None:
    busy = STEADY.replace("rate: 0.5/s", "rate: 1/s").replace("mean: 1s", "mean: 3s")
    hardened = f"router: {{profile: hardened, probe: {{refresh: probes, ttl: 0s, timeout: 9s}}}}\n{busy}"

    calm, crashed = without_and_with(hardened, "kind: frontend_crash, frontend: 0, at: 2500ms")

    # It waits behind the request of 1 s, which the crash ends.
    assert calm.probes["outcome"].tolist()[:2] == ["ok", "ok"]
    assert crashed.probes[["outcome", "end_s"]].values.tolist()[1:] == [["failed", 2.5]]
    assert crashed.metrics["rows.removed"] == 0


def test_a_frontend_that_crashes_twice_comes_back_twice() -> None:
    crashed = run_with(
        STEADY,
        "kind: frontend_crash, frontend: 0, at: 3500ms, restart_after: 4s",
        "kind: frontend_crash, frontend: 0, at: 5s, restart_after: 1s",
        "kind: frontend_crash, frontend: 0, at: 9500ms, restart_after: 2s",
    )

    # The one of 5 s finds it down.
    assert struck(crashed) == [(3.5, "frontend 0"), (9.5, "frontend 0")]
    assert crashed.requests["arrival_s"][crashed.requests["outcome"] == "failed"].tolist() == [4, 6, 10]


def test_what_comes_in_a_pause_is_looked_at_when_it_is_over() -> None:
    calm, paused = without_and_with(STEADY, "kind: frontend_pause, frontend: 0, at: 5500ms, lasts: 3500ms")

    assert calm.picks["t_s"].round(3).tolist() == [time_s + 0.002 for time_s in range(2, 19, 2)]
    assert paused.picks["t_s"].round(3).tolist()[:5] == [2.002, 4.002, 9.002, 9.004, 10.002]
    assert outcomes(paused) == ["completed"] * 9
    assert paused.metrics["in_flight.final"] == 0
    assert struck(paused) == [(5.5, "frontend 0")]


def test_an_answer_that_comes_in_a_pause_is_read_when_it_is_over() -> None:
    calm, paused = without_and_with(STEADY, "kind: frontend_pause, frontend: 0, at: 2500ms, lasts: 1s")

    # The backend is done at 3 s and takes the next request as soon as ever.
    assert calm.requests["end_s"][0] == pytest.approx(3.03)
    assert paused.requests["end_s"][0] == pytest.approx(3.504)
    assert paused.requests["start_s"].tolist() == calm.requests["start_s"].tolist()


def test_a_probe_under_way_in_a_long_pause_is_over_time_when_that_ends() -> None:
    uncached = f"router: {{profile: uncached}}\n{STEADY}"

    calm, paused = without_and_with(uncached, "kind: frontend_pause, frontend: 0, at: 4005ms, lasts: 3s")

    assert calm.metrics["probes.false_dead"] == 0
    # Two seconds are over at 6.002 s, which the frontend finds at 7.005 s.
    timeouts = paused.probes[paused.probes["outcome"] == "timeout"]
    assert timeouts[["start_s", "end_s"]].round(3).values.tolist() == [[4.002, 7.005]]
    assert paused.metrics["rows.removed_alive"] == 1
    assert told(paused, "row_removed")[0][0] == 7.007


def test_a_pause_makes_the_loops_late_and_the_nodes_that_they_look_after() -> None:
    watched = f"control_plane: {{reconciler: null, heartbeat: 1s, health_monitor: {{tick: 4s}}}}\n{STEADY}"
    crash = "kind: node_crash, node: a, at: 5s"

    found = run_with(watched.replace("tick: 4s", "tick: 4s, stale_after: 2s"), crash)
    found_late = run_with(
        watched.replace("tick: 4s", "tick: 4s, stale_after: 2s"),
        crash,
        "kind: frontend_pause, frontend: 0, at: 6s, lasts: 7s",
    )

    assert told(found, "node_changed")[0][0] == pytest.approx(8, abs=0.1)
    assert told(found_late, "node_changed")[0][0] == pytest.approx(13, abs=0.1)


def test_a_frontend_that_starts_during_the_pause_of_the_one_before_is_not_paused() -> None:
    paused = run_with(
        STEADY,
        "kind: frontend_pause, frontend: 0, at: 5500ms, lasts: 15s",
        "kind: frontend_crash, frontend: 0, at: 7s, restart_after: 2s",
    )

    assert outcomes(paused) == ["completed"] * 2 + ["failed"] * 2 + ["completed"] * 5
    assert paused.metrics["route.max_s"] < 0.1


MISSES = f"""
duration: 60s
nodes: [{{name: a, slots: 2}}]
models:
  - name: m
    service: {{mean: 50s, distribution: deterministic}}
    replicas: [{{node: a}}, {{node: a}}]
control_plane: {{reconciler: null, health_monitor: {{tick: 10s, probe_timeout: 1s, misses: 3}}}}
workload: [{{kind: burst, model: m, at: 1s, requests: 2}}]
{FREE}"""


def test_doubled_passes_lose_patience_with_a_busy_replica_in_half_the_time() -> None:
    single, doubled = without_and_with(MISSES, "kind: background_doubled, frontend: 0, at: 5s")

    # Passes at 10, 20 and 30 s, each with a second for its probe; doubled also at 15 s.
    assert told(single, "row_removed") == [(31, "row_removed", "a#1", "monitor_misses")]
    assert told(doubled, "row_removed") == [(21, "row_removed", "a#1", "monitor_misses")]
    assert doubled.metrics["registry.transactions"] > single.metrics["registry.transactions"]
    assert struck(doubled) == [(5, "frontend 0")]


def test_the_passes_of_a_frontend_that_is_down_are_not_doubled() -> None:
    down = run_with(
        MISSES,
        "kind: frontend_crash, frontend: 0, at: 2s",
        "kind: background_doubled, frontend: 0, at: 5s",
    )

    assert struck(down) == [(2, "frontend 0")]
    assert told(down, "row_removed") == []


def test_one_frontend_of_an_older_version_sends_everything_to_one_replica() -> None:
    three_at_once = PAIR.replace("mean: 5s", "mean: 1s").replace(
        "at: 1s, requests: 6", "at: 1s, every: 3s, requests: 3"
    )

    alike, mixed = without_and_with(three_at_once, "kind: mixed_policy, frontend: 1, router: {profile: pinned}")

    for result, replicas in ((alike, 2), (mixed, 1)):
        of_the_other = result.requests["frontend"] == 1
        assert result.requests["replica"][of_the_other].nunique() == replicas
        assert result.requests["replica"][~of_the_other].nunique() == 2
    assert struck(mixed) == [(0, "frontend 1")]


@pytest.mark.parametrize(
    "faults",
    [
        ("kind: frontend_crash, frontend: 0, at: 3s, restart_after: 5s",),
        ("kind: frontend_pause, frontend: 0, at: 3s, lasts: 10s",),
        ("kind: mixed_policy, frontend: 0, router: {profile: hardened}",),
        ("kind: frontend_pause, frontend: 0, at: 2s, lasts: 5s", "kind: frontend_crash, frontend: 0, at: 3s"),
    ],
    ids=["crash", "pause", "policy", "crash in a pause"],
)
@pytest.mark.parametrize("world", [PAIR, COLD], ids=["warm", "cold"])
def test_two_runs_have_one_digest_and_every_request_ends(world: str, faults: tuple[str, ...]) -> None:
    calm, one = without_and_with(world, *faults)

    assert one.digest == run_with(world, *faults).digest != calm.digest
    assert one.metrics["requests.unfinished"] == 0
