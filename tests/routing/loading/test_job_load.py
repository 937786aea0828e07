"""Requests that share a load job: one load for all of them, and a limited time to wait for it."""

from typing import Any

import pytest

from sim.routing.errors import StillLoading
from sim.routing.loading.cold_load import load_lock
from sim.routing.loading.job_load import retry_after_s
from sim.routing.proxy import MadeCall
from sim.routing.replica import ReplicaKey
from tests.drivers import MS, SECOND
from tests.routing.fleet_world import MODEL
from tests.routing.loading.cold_loads import (
    COMPLETED,
    MINUTE,
    REJECTED,
    ends,
    frontend,
    job,
    job_load,
    loads,
    nothing_warm,
    ports_around,
    ports_without,
    send,
    world_of,
)

# One load for all.


def test_fifty_simultaneous_requests_on_two_frontends_begin_one_load() -> None:
    world = world_of("a", "b")
    frontends = [frontend(world) for _ in range(2)]

    async def story() -> None:
        for number in range(50):
            send(world, frontends[number % 2])

    world.run(story())

    assert loads(world) == 1
    assert [end[1:] for end in ends(world)] == [COMPLETED] * 50
    assert job(world) is None


def test_the_owners_frontend_wakes_its_requests_at_once_and_the_others_look_every_two_seconds() -> None:
    world = world_of("a", load_s=21)
    owner, other = frontend(world), frontend(world)

    async def story() -> None:
        send(world, owner)
        await world.runtime.sleep(500 * MS)
        send(world, owner)
        send(world, other)

    world.run(story())

    assert ends(world) == [(21.0, *COMPLETED), (21.0, *COMPLETED), (22.5, *COMPLETED)]


def test_the_end_of_a_load_that_takes_no_time_is_not_missed() -> None:
    world = world_of("a", load_s=0)
    only = frontend(world)

    async def story() -> None:
        send(world, only)

    world.run(story())

    assert ends(world) == [(0.0, *COMPLETED)]


def test_an_end_that_overtakes_the_answer_to_a_claim_is_not_missed() -> None:
    world = world_of("a", load_s=20)

    async def answer_slowly(name: str, call: MadeCall) -> Any:
        answer = await call()
        if name == "load_job" and world.runtime.now_ns() == 19 * SECOND:
            await world.runtime.sleep(4 * SECOND)
        return answer

    only = frontend(world, ports_around(world, answer_slowly))

    async def story() -> None:
        send(world, only)
        await world.runtime.sleep(19 * SECOND)
        send(world, only)

    world.run(story())

    assert ends(world) == [(20.0, *COMPLETED), (23.0, *COMPLETED)]


def test_a_model_that_was_loaded_meanwhile_is_not_loaded_again() -> None:
    world = world_of("a", "b", transaction_ns=SECOND)
    only = frontend(world)

    async def story() -> None:
        send(world, only)
        await world.runtime.sleep(1500 * MS)
        world.place(ReplicaKey("b", MODEL, 0))
        await world.runtime.sleep(3 * SECOND)
        assert job(world) is not None

    world.run(story())

    assert loads(world) == 0
    assert job(world) is None
    assert ends(world)[0][1:] == COMPLETED


def test_of_two_claims_that_the_lock_does_not_keep_apart_one_comes_too_late() -> None:
    world = world_of("a", "b", transaction_ns=SECOND)

    async def without_lock(name: str, call: MadeCall) -> Any:
        return None if name == "lock" else await call()

    frontends = [frontend(world, ports_around(world, without_lock)) for _ in range(2)]

    async def story() -> None:
        for each in frontends:
            send(world, each)

    world.run(story())

    assert loads(world) == 1
    assert [end[1:] for end in ends(world)] == [COMPLETED] * 2


@pytest.mark.parametrize(("way", "is_free"), [("job", True), ("inline", False)])
def test_the_models_lock_is_free_during_a_job_and_held_during_an_inline_load(way: str, is_free: bool) -> None:
    world = world_of("a")
    only = frontend(world, loads=way)
    found: list[bool] = []

    async def story() -> None:
        send(world, only)
        await world.runtime.sleep(10 * SECOND)
        found.append(world.database.lock(load_lock(MODEL)).is_free())

    world.run(story())

    assert found == [is_free]


# Waiting, and being turned away.


@pytest.mark.parametrize(("load_wait", "until_s"), [("60s", 60.0), ("7s", 7.0)])
def test_whoever_has_waited_long_enough_is_turned_away_and_the_load_still_finishes(
    load_wait: str, until_s: float
) -> None:
    world = world_of("a", load_s=90)
    owner, other = frontend(world, load_wait=load_wait), frontend(world, load_wait=load_wait)

    async def story() -> None:
        send(world, owner)
        send(world, other)
        await world.runtime.sleep(100 * SECOND)
        send(world, other)

    world.run(story())

    assert ends(world) == [(until_s, *REJECTED), (until_s, *REJECTED), (100.0, *COMPLETED)]
    assert loads(world) == 1
    assert world.times_s("row_published") == [90.0]


def test_an_inline_load_turns_nobody_away_and_has_everyone_wait_for_the_lock() -> None:
    world = world_of("a", load_s=90)
    frontends = [frontend(world, loads="inline") for _ in range(2)]

    async def story() -> None:
        for number in range(50):
            send(world, frontends[number % 2])

    world.run(story())

    assert ends(world) == [(90.0, *COMPLETED)] * 50
    assert world.journal.records.lock_waits["wait_ns"].tolist() == [90 * SECOND] * 49


def test_jobs_have_nobody_wait_for_the_lock_longer_than_the_claims_take() -> None:
    world = world_of("a", load_s=90, transaction_ns=MS)
    frontends = [frontend(world) for _ in range(2)]

    async def story() -> None:
        for number in range(50):
            send(world, frontends[number % 2])

    world.run(story())

    # Each claim reads the job, and the first one writes it: 51 transactions in all, and then 50 to ask for a fresh row.
    assert 0 < max(world.journal.records.lock_waits["wait_ns"]) < 101 * MS


def test_whoever_is_turned_away_is_told_when_to_come_back() -> None:
    world = world_of("a", load_s=90)

    async def story() -> None:
        with pytest.raises(StillLoading, match=r"^m is still loading; come back in 60 s$"):
            await job_load(world).route(world.request(), nothing_warm)

    world.run(story())

    assert world.times_s("load_ended") == [90.0]


@pytest.mark.parametrize(
    ("wait_ns", "retry_s"),
    [
        (0, 5),
        (5 * SECOND, 5),
        (5 * SECOND + 1, 6),
        (MINUTE, 60),
        (299 * SECOND, 299),
        (300 * SECOND, 300),
        (300 * SECOND + 1, 300),
        (24 * 60 * MINUTE, 300),
    ],
)
def test_the_time_to_stay_away_is_the_wait_in_whole_seconds_from_5_to_300(wait_ns: int, retry_s: int) -> None:
    assert retry_after_s(wait_ns) == retry_s


def test_time_spent_on_the_claim_counts_as_waiting() -> None:
    world = world_of("a", transaction_ns=SECOND)
    only = frontend(world, load_wait="2s")

    async def story() -> None:
        send(world, only)

    world.run(story())

    # A pick, the lock, the job read, the job written, a pick: the time was up before the load began.
    assert ends(world) == [(5.0, *REJECTED)]
    assert len(world.told("row_published")) == 1


def test_a_job_that_cannot_be_read_counts_as_still_there() -> None:
    world = world_of("a", load_s=21)
    owner, other = frontend(world), frontend(world, ports_without(world, "load_job", from_s=1, to_s=15))

    async def story() -> None:
        send(world, owner)
        send(world, other)

    world.run(story())

    assert ends(world) == [(21.0, *COMPLETED), (22.0, *COMPLETED)]
    assert loads(world) == 1


def test_after_three_jobs_without_a_replica_to_be_found_the_request_fails() -> None:
    world = world_of("a", "b", "c", "d", load_s=10)
    only = frontend(world, ports_without(world, "pick"))

    async def story() -> None:
        send(world, only)

    world.run(story())

    assert ends(world) == [(30.0, "FAILED", "NoReplica")]
    assert world.times_s("load_ended") == [10.0, 20.0, 30.0]


def test_the_time_to_wait_is_for_all_three_jobs_together() -> None:
    world = world_of("a", "b", "c", "d", load_s=25)
    only = frontend(world, ports_without(world, "pick"))

    async def story() -> None:
        send(world, only)

    world.run(story())

    assert ends(world) == [(60.0, *REJECTED)]
    assert world.times_s("load_ended") == [25.0, 50.0, 75.0]
