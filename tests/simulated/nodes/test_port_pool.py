"""Which port a process gets: quarantine, affinity, and the order of preference between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.errors import Unavailable
from sim.routing.replica import ReplicaKey
from sim.simulated.nodes.port_pool import PortPool
from tests.hand_clock import HandClock

SECOND = 10**9
QUARANTINE = 15 * SECOND
AFFINITY = 5 * 60 * SECOND

A, B, C, D = (ReplicaKey("worker", model, 0) for model in "abcd")


def pool_where(clock: HandClock, *released: ReplicaKey, last_port: int = 65535) -> PortPool:
    """Return a pool from port 1 whose ports were taken and then, at 0, released by these replicas in turn."""
    pool = PortPool(clock, 1, last_port)
    for key in released:
        pool.take(key)
    for key in released:
        pool.release(key)
    return pool


def test_ports_are_given_out_from_the_first_on() -> None:
    pool = PortPool(HandClock(), 50051)

    ports = [pool.take(key) for key in (A, B, C)]

    assert ports == [50051, 50052, 50053]


@pytest.mark.parametrize(("age_ns", "expected"), [(0, 2), (QUARANTINE - 1, 2), (QUARANTINE, 1)])
@pytest.mark.parametrize("asking", [A, B], ids=["its own", "another's"])
def test_a_released_port_waits_15_s_before_anybody_gets_it(asking: ReplicaKey, age_ns: int, expected: int) -> None:
    clock = HandClock()
    pool = PortPool(clock, 1, affinity_ns=0)
    pool.take(A)
    pool.release(A)

    clock.t_ns = age_ns

    assert pool.take(asking) == expected


@pytest.mark.parametrize(("age_ns", "expected"), [(AFFINITY - 1, 2), (AFFINITY, 1)])
def test_a_claim_lasts_5_min_from_the_release(age_ns: int, expected: int) -> None:
    clock = HandClock()
    pool = pool_where(clock, A)

    clock.t_ns = age_ns

    assert pool.take(B) == expected


# id: (who released ports 1, 2, ... at 0, the last port, who asks within the claims, expected port)
PREFERENCES: dict[str, tuple[tuple[ReplicaKey, ...], int, ReplicaKey, int]] = {
    "its own before a lower one": ((A, B, C), 9, B, 2),
    "its own before a new one": ((A,), 9, A, 1),
    "a new one before another's": ((A, B), 9, C, 3),
    "another's when there is no new one": ((A, B), 2, C, 1),
}


@pytest.mark.parametrize(("released", "last_port", "asking", "expected"), PREFERENCES.values(), ids=PREFERENCES)
def test_a_replica_gets(released: tuple[ReplicaKey, ...], last_port: int, asking: ReplicaKey, expected: int) -> None:
    clock = HandClock()
    pool = pool_where(clock, *released, last_port=last_port)

    clock.t_ns = QUARANTINE

    assert pool.take(asking) == expected


def test_a_free_port_that_nobody_claims_goes_before_a_new_one() -> None:
    clock = HandClock()
    pool = pool_where(clock, A)
    clock.t_ns = AFFINITY - QUARANTINE
    pool.take(B)
    pool.release(B)

    clock.t_ns = AFFINITY

    assert pool.take(C) == 1


def test_whoever_takes_another_port_gives_up_its_claim_on_the_last_one() -> None:
    clock = HandClock()
    pool = pool_where(clock, A)
    moved_to = pool.take(A)

    clock.t_ns = QUARANTINE

    assert (moved_to, pool.take(B)) == (2, 1)


def test_a_port_taken_from_its_claimant_is_claimed_by_the_new_owner_alone() -> None:
    clock = HandClock()
    pool = pool_where(clock, A, B, last_port=2)
    clock.t_ns = QUARANTINE
    pool.take(C)
    pool.release(C)

    clock.t_ns = 2 * QUARANTINE
    ports = [pool.take(C), pool.take(B)]

    assert ports == [1, 2]
    with pytest.raises(Unavailable):
        pool.take(A)


def test_without_a_free_port_there_is_none_until_a_quarantine_ends() -> None:
    clock = HandClock()
    pool = pool_where(clock, A, last_port=1)

    with pytest.raises(Unavailable, match="no port is free on worker for worker#0 of b"):
        pool.take(B)

    clock.t_ns = QUARANTINE
    assert pool.take(B) == 1


def test_a_replica_holds_one_port_at_a_time() -> None:
    pool = PortPool(HandClock(), 1)
    pool.take(A)

    with pytest.raises(ValueError, match="worker#0 of a holds port 1 already"):
        pool.take(A)


def test_nobody_releases_what_it_does_not_hold() -> None:
    pool = pool_where(HandClock(), A)

    with pytest.raises(KeyError):
        pool.release(A)


def test_before_the_repairs_a_released_port_went_straight_to_another_model() -> None:
    pool = PortPool(HandClock(), 1, quarantine_ns=0, affinity_ns=0)
    for key in (A, B, C):
        pool.take(key)
    pool.release(B)
    pool.release(A)

    ports = [pool.take(B), pool.take(D), pool.take(A)]

    assert ports == [1, 2, 4]


steps = st.lists(st.tuples(st.integers(0, 12), st.sampled_from([A, B, C, D])), max_size=40)
"""Seconds to wait and the replica that then gives its port back, or takes one if it holds none."""


@given(steps)
def test_without_quarantine_and_affinity_the_lowest_port_that_nobody_holds_is_taken(
    steps: list[tuple[int, ReplicaKey]],
) -> None:
    clock = HandClock()
    pool = PortPool(clock, 1, last_port=4, quarantine_ns=0, affinity_ns=0)
    held: dict[ReplicaKey, int] = {}

    for seconds, key in steps:
        clock.t_ns += seconds * SECOND
        if key in held:
            pool.release(key)
            del held[key]
        else:
            held[key] = min(port for port in range(1, 5) if port not in held.values())
            assert pool.take(key) == held[key]


@given(steps, st.integers(0, 5))
def test_no_port_is_shared_or_used_too_soon_and_a_free_one_of_its_own_is_never_missed(
    steps: list[tuple[int, ReplicaKey]], ports: int
) -> None:
    clock = HandClock()
    pool = PortPool(clock, 1, last_port=ports, quarantine_ns=10 * SECOND, affinity_ns=30 * SECOND)
    held: dict[ReplicaKey, int] = {}
    last: dict[ReplicaKey, int] = {}
    free_from_ns = dict.fromkeys(range(1, ports + 1), 0)

    for seconds, key in steps:
        clock.t_ns += seconds * SECOND
        if key in held:
            pool.release(key)
            free_from_ns[held.pop(key)] = clock.t_ns + 10 * SECOND
            continue
        free = [p for p, at_ns in free_from_ns.items() if at_ns <= clock.t_ns and p not in held.values()]
        if not free:
            with pytest.raises(Unavailable):
                pool.take(key)
            continue
        port = pool.take(key)
        own = last.get(key)
        assert port in free
        assert port == own or own not in free or clock.t_ns >= free_from_ns[own] + 20 * SECOND
        held[key] = port
        last = {**{other: p for other, p in last.items() if p != port}, key: port}
