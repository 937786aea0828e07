"""Faults of the network and the bus, each against the same world without it."""

import pytest

from sim.measure.result import RunResult
from sim.routing.outcomes import ProbeOutcome
from tests.simulated.faults.worlds import outcomes, struck, told, without_and_with


def world(workload: str, *, replicas: str = "a", workers: int = 4, service: str = "1s", more: str = "") -> str:
    """Return a scenario text with replicas of one model on these nodes, where only the service takes any time."""
    placed = ", ".join(f"{{node: {node}}}" for node in replicas.split())
    return f"""
duration: 40s
drain_limit: 60s
nodes: [{{name: a}}, {{name: b}}]
models:
  - name: m
    backend: {{workers: {workers}, install_time: 1s, load_time: 10s}}
    service: {{mean: {service}, distribution: deterministic}}
    replicas: [{placed}]
registry: {{transaction: 0ms}}
network: {{latency: 0ms}}
workload: [{workload}]
{more}"""


def bursts(*moments: str, patience: str = "1h") -> str:
    return ", ".join(f"{{kind: burst, model: m, at: {at}, requests: 1, patience: {patience}}}" for at in moments)


def started_s(result: RunResult) -> list[float]:
    begun: list[float] = result.requests["start_s"].tolist()
    return begun


def latencies_s(result: RunResult) -> list[float]:
    latencies: list[float] = result.requests["latency_s"].tolist()
    return latencies


WATCHED = "control_plane: {heartbeat: 2s, health_monitor: {tick: 2s, stale_after: 8s}}"


def test_each_message_takes_its_time_there_and_back() -> None:
    # A least that is the mean leaves nothing to chance.
    sound, slow = without_and_with(world(bursts("5s")), "kind: network_latency, least: 50ms, mean: 50ms, tail_rate: 0")

    assert latencies_s(sound) == [1.0]
    assert latencies_s(slow) == pytest.approx([1.2])  # a probe, then the request
    assert struck(slow) == [(5.0, "a"), (5.05, "a"), (5.1, "a"), (6.15, "a")]


def test_messages_in_the_tail_take_many_times_as_long() -> None:
    _, slow = without_and_with(
        world(bursts("5s")), "kind: network_latency, least: 50ms, mean: 50ms, tail_rate: 1, tail_factor: 3"
    )

    assert latencies_s(slow) == pytest.approx([1.6])


def test_random_latencies_stand_in_for_the_constant_one() -> None:
    # With the network's own latency below the least, it is no longer seen.
    distant = world(bursts("5s")).replace("latency: 0ms", "latency: 20ms")

    sound, slow = without_and_with(distant, "kind: network_latency, least: 50ms, mean: 50ms, tail_rate: 0")

    assert latencies_s(sound) == pytest.approx([1.08])
    assert latencies_s(slow) == pytest.approx([1.2])


def test_only_the_messages_of_the_node_that_is_named_are_hit() -> None:
    _, slow = without_and_with(
        world(bursts("5s", "8s"), replicas="a b"),
        "kind: network_latency, node: b, least: 50ms, mean: 50ms, tail_rate: 0",
    )

    assert dict(zip(slow.requests["replica"], slow.requests["latency_s"], strict=True)) == pytest.approx(
        {"a#0": 1.0, "b#0": 1.2}
    )


def test_a_lost_message_is_sent_again_after_twice_the_time_each_time() -> None:
    sound, lossy = without_and_with(world(bursts("5s")), "kind: message_loss, rate: 1, at: 5s, lasts: 1s")

    # The probe is lost at 5 s, 5.2 s and 5.6 s, and comes through at 6.4 s.
    assert started_s(sound) == [5.0]
    assert struck(lossy) == [(5.0, "a"), (5.2, "a"), (5.6, "a")]
    assert started_s(lossy) == [6.4]


def test_a_second_copy_of_a_request_occupies_the_backend_for_nothing() -> None:
    sound, doubled = without_and_with(
        world(bursts("5s", "5500ms"), workers=1), "kind: message_duplicate, rate: 1, at: 5s, lasts: 100ms"
    )

    assert latencies_s(sound) == [1.0, 1.5]
    assert latencies_s(doubled) == [1.0, 2.5]
    assert started_s(doubled) == [5.0, 7.0]
    assert doubled.metrics["requests.completed"] == 2


def test_a_second_copy_of_a_load_loads_once_more() -> None:
    cold = world(bursts("5s"), replicas="", workers=1)

    sound, doubled = without_and_with(cold, "kind: message_duplicate, rate: 1")

    # Asked for at the same moment, so neither finds the model loaded.
    assert (sound.metrics["loads.started"], doubled.metrics["loads.started"]) == (1, 2)


def test_a_delayed_message_is_overtaken_by_a_later_one() -> None:
    sound, mixed = without_and_with(
        world(bursts("1s", "5s", "5100ms")), "kind: message_reorder, rate: 1, by: 500ms, at: 5s, lasts: 10ms"
    )

    assert started_s(sound) == [1.0, 5.0, 5.1]
    assert started_s(mixed) == [1.0, 5.5, 5.1]


def test_calls_to_a_node_that_is_cut_off_are_not_answered_while_it_lasts() -> None:
    sound, cut = without_and_with(
        world(bursts("1s", "6s")), "kind: one_way_partition, node: a, direction: to_node, at: 5s, lasts: 10s"
    )

    assert started_s(sound) == [1.0, 6.0]
    assert started_s(cut) == [1.0, 15.0]
    assert struck(cut) == [(6.0, "a")]


def test_a_probe_of_a_node_that_is_cut_off_times_out() -> None:
    _, cut = without_and_with(
        world(bursts("6s"), replicas="a b", more="router: {profile: hardened}"),
        "kind: one_way_partition, direction: to_node, at: 5s, lasts: 10s",
    )

    assert cut.probes["outcome"].tolist() == [ProbeOutcome.TIMEOUT.name.lower()]


@pytest.mark.parametrize(("patience", "end"), [("1h", "unfinished"), ("20s", "cancelled")], ids=["waits", "leaves"])
def test_a_node_that_cannot_answer_works_for_nothing(patience: str, end: str) -> None:
    sound, cut = without_and_with(
        world(bursts("4s", patience=patience), service="3s"),
        "kind: one_way_partition, node: a, direction: from_node, at: 5s, lasts: 10s",
    )

    assert outcomes(sound) == ["completed"]
    assert (started_s(cut), outcomes(cut)) == ([4.0], [end])
    # What struck was the answer, when the work was done.
    assert (7.0, "a") in struck(cut)


@pytest.mark.parametrize(("direction", "offline"), [("to_node", 0), ("from_node", 1)])
def test_heartbeats_are_lost_with_the_direction_they_go_in(direction: str, offline: int) -> None:
    sound, cut = without_and_with(
        world("", more=WATCHED), f"kind: one_way_partition, node: a, direction: {direction}, at: 5s, lasts: 20s"
    )

    assert sound.metrics["nodes.offline"] == 0
    assert cut.metrics["nodes.offline"] == offline


def test_a_node_cut_off_from_everybody_loses_its_rows_and_comes_back() -> None:
    sound, cut = without_and_with(
        world("", replicas="a b", more=WATCHED), "kind: partition, nodes: [a], at: 5s, lasts: 20s"
    )

    assert told(sound, "node_changed", "row_removed") == []
    changes = [(kind, whom, why) for _, kind, whom, why in told(cut, "node_changed", "row_removed")]
    assert changes == [
        ("node_changed", "a", "stale_heartbeat"),
        ("row_removed", "a#0", "node_offline"),
        ("node_changed", "a", "heartbeat"),
    ]


def test_a_node_cut_off_from_one_frontend_stays_in_service_for_the_other() -> None:
    shared = world(
        "{kind: burst, model: m, at: 1s, requests: 2}, {kind: burst, model: m, at: 6s, requests: 2}",
        more=f"frontends: 2\n{WATCHED}",
    )

    sound, cut = without_and_with(shared, "kind: partition, nodes: [a], frontends: [0], at: 5s, lasts: 20s")

    assert started_s(sound)[2:] == [6.0, 6.0]
    assert started_s(cut)[2:] == [25.0, 6.0]
    assert cut.metrics["nodes.offline"] == 0


def test_a_clog_lets_go_of_a_buffer_full_at_once() -> None:
    # A hold of 2400 h on average is as short as the 2 s that the first waits with a probability of 2.3e-7.
    sound, clogged = without_and_with(
        world(bursts("1s", "5s", "6s", "7s")),
        "kind: clog, node: a, at: 4s, lasts: 30s, mean_hold: 2400h, capacity: 3",
    )

    assert started_s(sound) == [1.0, 5.0, 6.0, 7.0]
    assert started_s(clogged) == [1.0, 7.0, 7.0, 7.0]
    assert clogged.metrics["requests.completed"] == 4


def test_a_clog_lets_go_of_everything_when_it_is_over() -> None:
    _, clogged = without_and_with(
        world(bursts("1s", "5s")), "kind: clog, at: 4s, lasts: 30s, mean_hold: 2400h, capacity: 3"
    )

    assert started_s(clogged) == [1.0, 34.0]


def test_a_clog_without_holds_lets_everything_through() -> None:
    sound, clogged = without_and_with(
        world(bursts("1s", "5s")), "kind: clog, at: 4s, lasts: 30s, mean_hold: 0s, capacity: 3"
    )

    assert latencies_s(clogged) == latencies_s(sound)
    assert struck(clogged)[0] == (5.0, "a")


def test_a_reset_connection_fails_what_is_under_way_and_nothing_later() -> None:
    sound, reset = without_and_with(world(bursts("4s", "8s"), service="3s"), "kind: connection_reset, node: a, at: 5s")

    assert outcomes(sound) == ["completed", "completed"]
    assert outcomes(reset) == ["failed", "completed"]
    assert reset.requests["end_s"].tolist() == [5.0, 11.0]
    assert reset.requests["cause"].tolist()[0] == "Unavailable"
    assert told(reset, "process_ended", "install_started") == []
    assert struck(reset) == [(5.0, "a#0")]


def test_a_reset_connection_leaves_other_nodes_alone() -> None:
    _, reset = without_and_with(world(bursts("4s"), service="3s"), "kind: connection_reset, node: b, at: 5s")

    assert (outcomes(reset), struck(reset)) == (["completed"], [])


def test_an_install_that_the_bus_loses_is_never_answered() -> None:
    sound, lossy = without_and_with(world(bursts("5s", patience="30s"), replicas=""), "kind: bus_loss, rate: 1")

    assert (sound.metrics["installs.started"], outcomes(sound)) == (1, ["completed"])
    assert (lossy.metrics["installs.started"], outcomes(lossy)) == (0, ["cancelled"])


def test_an_install_that_the_bus_delays_begins_later() -> None:
    sound, late = without_and_with(world(bursts("5s"), replicas=""), "kind: bus_loss, rate: 1, delay: 7s")

    assert latencies_s(sound) == [12.0]
    assert latencies_s(late) == [19.0]


@pytest.mark.parametrize(("delay", "offline"), [("", 2), (", delay: 3s", 0)], ids=["lost", "late"])
def test_heartbeats_that_the_bus_loses_are_missed_and_late_ones_are_not(delay: str, offline: int) -> None:
    sound, lossy = without_and_with(world("", more=WATCHED), f"kind: bus_loss, rate: 1{delay}, at: 5s")

    assert sound.metrics["nodes.offline"] == 0
    assert lossy.metrics["nodes.offline"] == offline
    assert {place for _, place in struck(lossy)} == {"a", "b"}
