"""Policies that know speeds, latencies or idleness, against worked examples of their sources."""

import math

import pytest

from sim.routing.policies.port import PolicyClock, ReplicaView
from sim.routing.policies.standard.in_flight_then_vram import InFlightThenVram
from sim.routing.policies.standard.join_idle_queue import JoinIdleQueue
from sim.routing.policies.standard.peak_ewma import PENALTY_NS, PeakCost, PeakEwma
from sim.routing.policies.standard.prequal import LatencyEstimate, Prequal, quantile
from sim.routing.policies.standard.shortest_expected_delay import ShortestExpectedDelay
from tests.hand_clock import HandClock
from tests.routing.policies.views import REQUEST, SECOND, assert_drawn, loads, made, of_speeds, picks, replica

ALL = [InFlightThenVram, JoinIdleQueue, PeakEwma, Prequal, ShortestExpectedDelay]


@pytest.mark.parametrize("policy", ALL)
def test_of_no_replicas_none_is_picked_and_of_one_that_one(policy: type) -> None:
    one = made(policy)

    assert picks(one, [[], [replica("a", in_flight=9)], []]) == "-a-"


def vram(node: str, in_flight: int, gigabytes: int) -> ReplicaView:
    return replica(node, in_flight)._replace(available_vram_bytes=gigabytes * 10**9)


# id: (replicas, expected pick)
ORDERS: dict[str, tuple[list[ReplicaView], str]] = {
    "fewest in flight": ([vram("a", 3, 24), vram("b", 0, 8), vram("c", 1, 16)], "b"),
    "then most free VRAM": ([vram("a", 0, 8), vram("b", 0, 24), vram("c", 0, 16)], "b"),
    "then the first": ([vram("a", 0, 8), vram("b", 0, 8)], "a"),
}


@pytest.mark.parametrize(("replicas", "expected"), ORDERS.values(), ids=ORDERS)
def test_the_order_before_best_replica_takes(replicas: list[ReplicaView], expected: str) -> None:
    assert picks(made(InFlightThenVram), [replicas]) == expected


def test_join_idle_queue_takes_any_idle_replica() -> None:
    assert_drawn(made(JoinIdleQueue), loads(a=0, b=2, c=0), {"a": 1 / 2, "c": 1 / 2})


def test_join_idle_queue_takes_any_replica_if_none_is_idle_however_busy() -> None:
    assert_drawn(made(JoinIdleQueue), loads(a=1, b=9, c=3), {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})


# id: (requests in flight on a, of speed 4, and on b, of speed 1; expected pick), from (in flight + 1) / speed
DELAYS: dict[str, tuple[int, int, str]] = {
    "both are idle": (0, 0, "a"),  # 0.25 against 1
    "an idle slow one against a fast one with two": (2, 0, "a"),  # 0.75 against 1
    "an idle slow one against a fast one with four": (4, 0, "b"),  # 1.25 against 1
}


@pytest.mark.parametrize(("fast", "slow", "expected"), DELAYS.values(), ids=DELAYS)
def test_the_shortest_expected_delay_is_that_of(fast: int, slow: int, expected: str) -> None:
    policy = made(ShortestExpectedDelay, weights={"a": 4.0})

    assert picks(policy, [loads(a=fast, b=slow)]) == expected


@pytest.mark.parametrize(("fast", "slow", "expected"), DELAYS.values(), ids=DELAYS)
def test_and_the_same_where_the_node_announces_its_speed(fast: int, slow: int, expected: str) -> None:
    policy = made(ShortestExpectedDelay, weights="capacity")

    assert picks(policy, [of_speeds(loads(a=fast, b=slow), a=4.0)]) == expected


def test_what_a_node_announces_counts_only_if_the_weights_say_so() -> None:
    replicas = of_speeds(loads(a=2, b=0), a=4.0)

    assert picks(made(ShortestExpectedDelay), [replicas]) == "b"
    assert picks(made(ShortestExpectedDelay, weights={"b": 0.1}), [replicas]) == "a"


def test_equal_delays_are_a_tie() -> None:
    assert_drawn(made(ShortestExpectedDelay, weights={"a": 4.0}), loads(a=3, b=0), {"a": 1 / 2, "b": 1 / 2})


def test_a_weight_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"weights: found 0 for a; allowed: from 1e-06"):
        made(ShortestExpectedDelay, weights={"a": 0.0})


def test_a_peak_counts_at_once_and_decays_slowly() -> None:
    clock = HandClock()
    cost = PeakCost(PolicyClock(clock.now_ns), decay_ns=10 * SECOND)

    cost.observe(2 * SECOND)
    assert cost.load(0) == 2 * SECOND
    clock.t_ns = 10 * SECOND
    cost.observe(1 * SECOND)
    after_a_decay_ns = (2 / math.e + 1 * (1 - 1 / math.e)) * SECOND
    assert cost.load(0) == pytest.approx(after_a_decay_ns, rel=1e-12)
    cost.observe(3 * SECOND)
    assert cost.load(0) == 3 * SECOND


def test_without_news_a_cost_decays_as_well() -> None:
    clock = HandClock()
    cost = PeakCost(PolicyClock(clock.now_ns), decay_ns=10 * SECOND)
    cost.observe(2 * SECOND)

    clock.t_ns = 20 * SECOND

    assert cost.load(0) == pytest.approx(2 * SECOND / math.e**2, rel=1e-12)


def test_the_load_is_the_cost_times_one_request_more() -> None:
    cost = PeakCost(PolicyClock(HandClock().now_ns), decay_ns=10 * SECOND)
    cost.observe(2 * SECOND)

    assert [cost.load(in_flight) for in_flight in (0, 1, 4)] == [2 * SECOND, 4 * SECOND, 10 * SECOND]


def test_a_replica_that_has_work_and_never_answered_is_shunned() -> None:
    cost = PeakCost(PolicyClock(HandClock().now_ns), decay_ns=10 * SECOND)

    assert cost.load(0) == 0
    assert cost.load(3) == PENALTY_NS + 3


def test_peak_ewma_takes_the_faster_of_two_that_are_alike_busy() -> None:
    policy = made(PeakEwma)
    policy.ended(replica("a"), REQUEST, "completed", 4 * SECOND)
    policy.ended(replica("b"), REQUEST, "completed", 1 * SECOND)

    assert picks(policy, [loads(a=1, b=1)] * 20) == "b" * 20
    assert picks(policy, [loads(a=1, b=9)] * 20) == "a" * 20


# id: (values, share, expected)
QUANTILES: dict[str, tuple[list[int], float, int]] = {
    "of nothing": ([], 0.5, 0),
    "the least": ([3, 1, 2], 0.0, 1),
    "the median": ([3, 1, 2], 0.5, 2),
    "a share that ends at a value": ([1, 2, 3, 4], 0.75, 3),
    "the most": ([3, 1, 2], 1.0, 3),
}


@pytest.mark.parametrize(("values", "share", "expected"), QUANTILES.values(), ids=QUANTILES)
def test_a_quantile_is_the_smallest_value_that_reaches_the_share(
    values: list[int], share: float, expected: int
) -> None:
    assert quantile(values, share) == expected


def test_a_latency_is_estimated_by_the_median_at_the_nearest_load() -> None:
    latency = LatencyEstimate()
    assert latency.at(5) == 0

    for duration_ns in (1, 9, 2):
        latency.learn(0, duration_ns)
    latency.learn(4, 50)

    assert [latency.at(in_flight) for in_flight in (0, 1, 2, 3, 9)] == [2, 2, 2, 50, 50]


def test_prequal_takes_the_fastest_of_the_cold_replicas() -> None:
    policy = made(Prequal, probes=3)
    for node, seconds in (("a", 1), ("b", 3), ("c", 2)):
        policy.ended(replica(node, in_flight=1), REQUEST, "completed", seconds * SECOND)

    # 9 is hot; of the two at 1, c is faster than b, though a is the fastest of all.
    assert picks(policy, [loads(a=9, b=1, c=1)] * 20) == "c" * 20


def test_prequal_takes_the_least_loaded_if_all_are_hot() -> None:
    policy = made(Prequal, probes=3, hot_quantile=0.0)
    policy.ended(replica("a", in_flight=9), REQUEST, "completed", 1)

    assert picks(policy, [loads(a=9, b=2, c=3)] * 20) == "b" * 20


def test_prequal_learns_nothing_from_requests_that_failed() -> None:
    policy = made(Prequal, probes=3)
    policy.ended(replica("a", in_flight=1), REQUEST, "completed", 2 * SECOND)
    policy.ended(replica("b", in_flight=1), REQUEST, "completed", 3 * SECOND)
    policy.ended(replica("b", in_flight=1), REQUEST, "failed", 1)

    assert picks(policy, [loads(a=1, b=1, c=9)] * 20) == "a" * 20
