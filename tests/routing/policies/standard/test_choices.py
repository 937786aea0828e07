"""The policies of the field against worked examples."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.policies.port import ReplicaView
from sim.routing.policies.standard.at_random import AtRandom
from sim.routing.policies.standard.least_in_flight import LeastInFlight
from sim.routing.policies.standard.power_of_d import PowerOfD
from sim.routing.policies.standard.round_robin import RoundRobin
from sim.routing.policies.standard.weighted_least_request import WeightedLeastRequest, effective_weight
from sim.routing.policies.standard.zone_aware import ZoneAware
from tests.routing.policies.views import OTHER_MODEL, assert_drawn, loads, made, of_speeds, picks, replica

THREE = loads(a=0, b=0, c=0)


@pytest.mark.parametrize("policy", [AtRandom, RoundRobin, LeastInFlight, PowerOfD, WeightedLeastRequest, ZoneAware])
def test_of_no_replicas_none_is_picked_and_of_one_that_one(policy: type) -> None:
    one = made(policy)

    assert picks(one, [[], [replica("a", in_flight=9)], []]) == "-a-"


def test_random_draws_each_replica_alike_whatever_its_load() -> None:
    assert_drawn(made(AtRandom), loads(a=0, b=5, c=9), {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})


def test_round_robin_takes_turns() -> None:
    assert "abcabcabc" in picks(made(RoundRobin), [THREE] * 12)


def test_round_robin_begins_anywhere() -> None:
    begins = {picks(made(RoundRobin, seed=seed), [THREE]) for seed in range(40)}

    assert begins == {"a", "b", "c"}


# id: (lists after the first pick was a; expected picks)
MOVING_LISTS: dict[str, tuple[list[list[ReplicaView]], str]] = {
    "in another order": ([[THREE[2], THREE[0], THREE[1]], [THREE[1], THREE[0], THREE[2]]], "bc"),
    "with one that left": ([THREE[::2], THREE[::2], THREE[::2]], "cac"),
    "with one that joined": ([loads(a=0, b=0, c=0, d=0)] * 5, "bcdab"),
    "with a row that was written anew": ([[THREE[0], replica("b", row="another")]] * 2, "ba"),
}


@pytest.mark.parametrize(("lists", "expected"), MOVING_LISTS.values(), ids=MOVING_LISTS)
def test_round_robin_goes_on_after_the_last_one_over_a_list(lists: list[list[ReplicaView]], expected: str) -> None:
    policy = made(RoundRobin)
    while policy.pick(THREE, OTHER_MODEL._replace(model="m")).node != "a":
        pass

    assert picks(policy, lists) == expected


@given(st.lists(st.permutations(loads(a=0, b=0, c=0, d=0)), max_size=20), st.integers(0, 9))
def test_however_the_list_is_ordered_nobody_has_two_turns_more_than_another(
    lists: list[list[ReplicaView]], seed: int
) -> None:
    turns = Counter(dict.fromkeys("abcd", 0))
    turns.update(picks(made(RoundRobin, seed=seed), lists))

    assert max(turns.values()) - min(turns.values()) <= 1


def test_round_robin_of_one_model_takes_no_turn_of_another() -> None:
    policy = made(RoundRobin)
    first = picks(policy, [THREE] * 3)
    for _ in range(2):
        policy.pick(THREE, OTHER_MODEL)

    assert picks(policy, [THREE] * 3) == first


def test_least_in_flight_takes_the_least_loaded() -> None:
    assert picks(made(LeastInFlight), [loads(a=2, b=1, c=3), loads(a=0, b=1, c=1)]) == "ba"


TIED = loads(a=1, b=0, c=0, d=0)


def test_ties_go_to_one_at_random() -> None:
    assert_drawn(made(LeastInFlight), TIED, {"b": 1 / 3, "c": 1 / 3, "d": 1 / 3})


@pytest.mark.parametrize(("ties", "expected"), [("first", "bbbb"), ("rotate", "bcdb")])
def test_or_ties_go_to(ties: str, expected: str) -> None:
    assert picks(made(LeastInFlight, ties=ties), [TIED] * 4) == expected


def test_a_rotation_goes_on_over_other_ties() -> None:
    policy = made(LeastInFlight, ties="rotate")

    assert picks(policy, [TIED, loads(a=0, b=0, c=0), loads(a=0, b=0, c=1), loads(a=0, b=0, c=1)]) == "bcab"


# Chances of the least, second and most loaded of three: the least of two is the k-th with (3-k)/3, or with
# (2(3-k)+1)/9 if one may be drawn twice.
POWERS: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "two different ones": ({}, {"a": 2 / 3, "b": 1 / 3}),
    "two with replacement": ({"replacement": True}, {"a": 5 / 9, "b": 3 / 9, "c": 1 / 9}),
    "one": ({"d": 1}, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}),
    "more than there are": ({"d": 7}, {"a": 1.0}),
}


@pytest.mark.parametrize(("keys", "chances"), POWERS.values(), ids=POWERS)
def test_the_least_loaded_is_taken_of(keys: dict[str, Any], chances: dict[str, float]) -> None:
    assert_drawn(made(PowerOfD, **keys), loads(a=1, b=2, c=3), chances)


def test_power_of_d_draws_among_equals_alike() -> None:
    assert_drawn(made(PowerOfD), loads(a=3, b=3, c=3), {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})


def test_power_of_d_may_take_the_first_of_equals_that_it_drew() -> None:
    assert_drawn(made(PowerOfD, ties="first"), loads(a=3, b=3, c=3), {"a": 2 / 3, "b": 1 / 3})


# id: (weight, in flight, bias, expected); the first is Envoy's own example.
EFFECTIVE: dict[str, tuple[float, int, float, float]] = {
    "Envoy's": (2, 4, 1.0, 0.4),
    "idle": (2, 0, 1.0, 2.0),
    "without a bias load does not count": (2, 4, 0.0, 2.0),
    "twice the bias": (2, 4, 2.0, 0.08),
}


@pytest.mark.parametrize(("weight", "in_flight", "bias", "expected"), EFFECTIVE.values(), ids=EFFECTIVE)
def test_an_effective_weight(weight: float, in_flight: int, bias: float, expected: float) -> None:
    assert effective_weight(weight, in_flight, bias) == pytest.approx(expected, rel=1e-12)


def test_replicas_are_drawn_by_their_effective_weight() -> None:
    policy = made(WeightedLeastRequest, weights={"a": 4, "b": 2})

    # 4/2, 2/1 and 1/4.
    assert_drawn(policy, loads(a=1, b=0, c=3), {"a": 8 / 17, "b": 8 / 17, "c": 1 / 17})


def test_or_by_the_capacity_that_their_nodes_announce() -> None:
    policy = made(WeightedLeastRequest, weights="capacity")

    assert_drawn(policy, of_speeds(loads(a=1, b=0, c=3), a=4, b=2), {"a": 8 / 17, "b": 8 / 17, "c": 1 / 17})


ZONES: dict[str, Any] = {"nodes": {"a": "x", "b": "x", "c": "y"}, "frontends": ("x", "y")}

# id: (in flight on a, b and c; pick of the frontend in x; pick of the frontend in y)
ZONE_LOADS: dict[str, tuple[dict[str, int], str, str]] = {
    "idle": ({"a": 1, "b": 0, "c": 0}, "b", "c"),
    "as much busier as may be": ({"a": 3, "b": 2, "c": 0}, "b", "c"),
    "too busy": ({"a": 4, "b": 3, "c": 0}, "c", "c"),
    "the other is too busy": ({"a": 0, "b": 1, "c": 3}, "a", "a"),
}


@pytest.mark.parametrize(("in_flight", "in_x", "in_y"), ZONE_LOADS.values(), ids=ZONE_LOADS)
def test_a_zone_is_left_when_it_is_too_busy(in_flight: dict[str, int], in_x: str, in_y: str) -> None:
    replicas = loads(**in_flight)

    assert picks(made(ZoneAware, frontend=0, **ZONES), [replicas]) == in_x
    assert picks(made(ZoneAware, frontend=1, **ZONES), [replicas]) == in_y


def test_a_frontend_without_a_zone_goes_anywhere() -> None:
    assert_drawn(made(ZoneAware, frontend=2, **ZONES), loads(a=0, b=1, c=0), {"a": 1 / 2, "c": 1 / 2})
