"""Every policy whose replicas may be equally good breaks such ties by the rule that it is asked for."""

from collections.abc import Callable
from typing import Any

import pytest

from sim.routing.policies.best_replica import BestReplica, ChooseBest
from sim.routing.policies.prefix.prefix_then_balance import PrefixThenBalance
from sim.routing.policies.standard.in_flight_then_vram import InFlightThenVram
from sim.routing.policies.standard.join_idle_queue import JoinIdleQueue
from sim.routing.policies.standard.least_in_flight import LeastInFlight
from sim.routing.policies.standard.outlier_ejection import OutlierEjection
from sim.routing.policies.standard.peak_ewma import PeakEwma
from sim.routing.policies.standard.power_of_d import PowerOfD
from sim.routing.policies.standard.prequal import Prequal
from sim.routing.policies.standard.shortest_expected_delay import ShortestExpectedDelay
from sim.routing.policies.standard.zone_aware import ZoneAware
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from tests.routing.policies.views import assert_drawn, loads, made, picks

POLICIES: list[type] = [
    InFlightThenVram,
    JoinIdleQueue,
    LeastInFlight,
    OutlierEjection,
    PeakEwma,
    PowerOfD,
    PrefixThenBalance,
    Prequal,
    ShortestExpectedDelay,
    ZoneAware,
]
EQUALS = loads(a=0, b=0)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("ties", "expected"), [("first", "aaaa"), ("rotate", "abab")])
def test_the_rule_for_ties_says_which_of_two_equals_is_taken(policy: type, ties: str, expected: str) -> None:
    assert picks(made(policy, ties=ties), [EQUALS] * 4) == expected


@pytest.mark.parametrize("policy", POLICIES)
def test_at_random_each_of_two_equals_has_the_same_chance(policy: type) -> None:
    assert_drawn(made(policy, ties="random"), EQUALS, {"a": 1 / 2, "b": 1 / 2})


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("ties", ["first", "rotate", "random"])
def test_where_one_is_better_no_rule_for_ties_matters(policy: type, ties: str) -> None:
    assert picks(made(policy, ties=ties), [loads(a=1, b=0)] * 9) == "b" * 9


def rows(*last_used_ns: int) -> list[Replica]:
    return [
        Replica(f"row {n}", ReplicaKey("abc"[n], "m", 0), "", 0, used_ns, 0) for n, used_ns in enumerate(last_used_ns)
    ]


def best(ties: str) -> Callable[..., Any]:
    return made(BestReplica, ties=ties).choice(Request(0, "m", 0, 0, 0), ())  # type: ignore[no-any-return]


@pytest.mark.parametrize(("ties", "expected"), [("first", "aaaa"), ("rotate", "abab")])
def test_best_replica_breaks_full_ties_alone(ties: str, expected: str) -> None:
    choose = best(ties)

    assert "".join(choose(rows(1, 1, 2)).key.node for _ in range(4)) == expected
    assert choose([]) is None


def test_best_replica_draws_among_full_ties() -> None:
    choose = best("random")

    drawn = [choose(rows(1, 2, 1)).key.node for _ in range(64)]

    assert sorted(set(drawn)) == ["a", "c"]  # all alike in 1 of 2^63 cases, and the draws are the same in every run


@pytest.mark.parametrize(("ties", "order"), [("first", ChooseBest().order), ("rotate", None), ("random", None)])
def test_best_replica_is_ordered_by_sql_only_as_far_as_sql_has_its_rule(ties: str, order: str | None) -> None:
    assert best(ties).order == order  # type: ignore[attr-defined]
