"""Policies with a mistake: each makes it, and is right where the mistake does not matter."""

from sim.routing.policies.flawed.expiring_counts import ExpiringCounts
from sim.routing.policies.flawed.first_of_equals import FirstOfEquals
from sim.routing.policies.flawed.own_zone_only import OwnZoneOnly
from sim.routing.policies.flawed.round_robin_by_last_use import RoundRobinByLastUse
from sim.routing.policies.flawed.round_robin_from_first import RoundRobinFromFirst
from sim.routing.policies.flawed.round_robin_of_old import RoundRobinOfOld
from sim.routing.policies.flawed.snapshot import Snapshot
from sim.routing.policies.flawed.stale_power_of_two import StalePowerOfTwo
from tests.hand_clock import HandClock
from tests.routing.policies.views import REQUEST, SECOND, loads, made, picks, replica

THREE = loads(a=0, b=0, c=0)


def test_the_first_of_equals_gets_everything_while_nobody_is_busy() -> None:
    assert picks(made(FirstOfEquals), [THREE, THREE, loads(a=1, b=0, c=0)]) == "aab"


def test_a_snapshot_keeps_its_least_loaded_until_it_is_read_again() -> None:
    clock = HandClock()
    policy = made(Snapshot, clock=clock, refresh_s=5)
    first = picks(policy, [loads(a=1, b=0, c=1), loads(a=1, b=9, c=1)])

    clock.t_ns = 5 * SECOND

    assert first + picks(policy, [loads(a=1, b=9, c=0)]) == "bbc"


def test_a_snapshot_passes_over_rows_that_have_gone() -> None:
    policy = made(Snapshot)

    assert picks(policy, [loads(a=2, b=0, c=1), loads(a=2, c=1), loads(d=0), []]) == "bcd-"


def test_counters_that_start_at_0_go_in_step() -> None:
    rounds = [picks(made(RoundRobinFromFirst, frontend=one, seed=one), [THREE] * 4) for one in range(3)]

    assert rounds == ["abca"] * 3


def test_of_three_replicas_in_the_order_of_their_last_use_one_gets_two_thirds() -> None:
    policy, used_ns, picked = made(RoundRobinByLastUse), dict.fromkeys("abc", 0), ""
    for now_ns in range(1, 13):
        one = policy.pick([replica(node, last_used_ns=at_ns) for node, at_ns in used_ns.items()], REQUEST)
        used_ns[one.node] = now_ns
        picked += one.node

    assert picked == "accbcc" * 2


def test_a_winner_is_remembered_with_the_load_that_it_had() -> None:
    policy = made(StalePowerOfTwo)
    winner = picks(policy, [THREE])

    assert picks(policy, [loads(a=9, b=9, c=9)] * 20) == winner * 20


def test_a_remembered_winner_loses_to_less_than_it_had_or_when_it_is_gone() -> None:
    policy = made(StalePowerOfTwo)
    picks(policy, [loads(a=1)])

    assert picks(policy, [loads(a=5, b=0)] * 30).endswith("b")
    assert picks(policy, [loads(a=5), []]) == "a-"


def test_what_is_in_flight_when_the_counts_expire_is_taken_from_nothing() -> None:
    clock = HandClock()
    policy = made(ExpiringCounts, clock=clock, expire_s=60)
    replicas = loads(a=0, b=0)
    for node in "abb":
        policy.sent(replica(node), REQUEST)
    before = picks(policy, [replicas])

    clock.t_ns = 60 * SECOND
    policy.ended(replica("b"), REQUEST, "completed", SECOND)
    after = picks(policy, [replicas] * 9)
    policy.sent(replica("b"), REQUEST)

    assert before + after == "a" + "b" * 9
    assert set(picks(policy, [replicas] * 30)) == {"a", "b"}


def test_a_list_that_is_read_once_knows_no_later_replica() -> None:
    policy = made(RoundRobinOfOld)

    assert picks(policy, [loads(a=0, b=0), *[THREE] * 4]) == "ababa"


def test_a_zone_that_is_never_left_is_left_only_if_it_is_empty() -> None:
    policy = made(OwnZoneOnly, nodes={"a": "x", "b": "y"}, frontends=("x",))

    assert picks(policy, [loads(a=9, b=0), loads(b=0)]) == "ab"
