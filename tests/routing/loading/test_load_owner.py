"""The owner of a load job: it outlives the request, says that it lives, may die, and tells of a failure."""

from typing import Any

import pytest

from sim.routing.errors import LoadFailed
from sim.routing.fleet import LoadJob, LoadState
from sim.routing.proxy import MadeCall
from tests.drivers import MS, SECOND
from tests.routing.fleet_world import MODEL
from tests.routing.loading.cold_loads import (
    COMPLETED,
    MINUTE,
    REFUSAL,
    REJECTED,
    ends,
    failing_once,
    frontend,
    job,
    job_load,
    loads,
    nothing_warm,
    ports_around,
    ports_without,
    send,
    visit,
    world_of,
)

# Whoever leaves.


def test_the_request_that_began_a_load_leaves_and_the_load_goes_on() -> None:
    world = world_of("a")
    only = frontend(world)

    async def story() -> None:
        await visit(world, only, patience_ns=5 * SECOND)
        send(world, only)

    world.run(story())

    assert world.times_s("load_started") == [0.0]
    assert ends(world)[1] == (20.0, *COMPLETED)
    assert job(world) is None
    assert [row.in_flight for row in world.rows()] == [0]


def test_a_request_that_leaves_an_inline_load_takes_it_along() -> None:
    world = world_of("a")
    only = frontend(world, loads="inline")

    async def story() -> None:
        await visit(world, only, patience_ns=5 * SECOND)
        await world.runtime.sleep(SECOND)
        send(world, only)

    world.run(story())

    assert world.times_s("load_started") == [0.0, 6.0]


def test_a_claim_goes_with_the_request_that_leaves_before_its_job_has_started() -> None:
    world = world_of("a", transaction_ns=SECOND)
    only = frontend(world)

    async def story() -> None:
        # One second each: the first pick, the lock, the job read, the job written; then comes the second pick.
        await visit(world, only, patience_ns=4500 * MS)
        assert job(world) is not None
        await world.runtime.sleep(2 * SECOND)
        assert job(world) is None

    world.run(story())

    assert loads(world) == 0


# Owners that live, and owners that die.


def test_the_job_shows_how_far_the_load_is_and_every_second_that_its_owner_lives() -> None:
    world = world_of("a", install_s=5)
    only = frontend(world)
    shown: list[tuple[LoadState, float]] = []

    async def story() -> None:
        send(world, only)
        for pause_ms in (2500, 2000, 3000, 2000):
            await world.runtime.sleep(pause_ms * MS)
            row = job(world)
            assert row is not None
            shown.append((row.state, row.heartbeat_ns / SECOND))

    world.run(story())

    assert shown == [
        (LoadState.INSTALLING, 2.0),
        (LoadState.INSTALLING, 4.0),
        (LoadState.LOADING, 7.0),
        (LoadState.LOADING, 9.0),
    ]


def test_a_load_whose_owner_lives_is_nobody_elses_however_long_it_takes() -> None:
    world = world_of("a", "b", load_s=200)
    owner, other = frontend(world), frontend(world)

    async def story() -> None:
        send(world, owner)
        await world.runtime.sleep(150_500 * MS)
        send(world, other)

    world.run(story())

    assert loads(world) == 1
    assert ends(world)[1] == (200.5, *COMPLETED)


@pytest.mark.parametrize(
    ("silent_ns", "started_s", "end"),
    [
        (MINUTE, [], (120.0, *REJECTED)),
        (MINUTE + 1, [60.000000001], (80.000000001, *COMPLETED)),
    ],
    ids=["60 s", "1 ns more"],
)
def test_a_job_is_orphaned_when_its_heartbeat_is_strictly_older_than_60_seconds(
    silent_ns: int, started_s: list[float], end: tuple[float, str, str]
) -> None:
    world = world_of("a")
    only = frontend(world)
    world.database.jobs[MODEL] = LoadJob("of a dead frontend", MODEL, LoadState.LOADING, heartbeat_ns=0)

    async def story() -> None:
        await world.runtime.sleep(silent_ns)
        send(world, only)

    world.run(story())

    assert world.times_s("load_started") == started_s
    assert ends(world) == [end]


def test_when_the_owners_frontend_dies_another_one_takes_over_a_minute_later() -> None:
    world = world_of("a", "b", load_s=100)
    owner, other = frontend(world), frontend(world)

    async def story() -> None:
        send(world, owner)
        await world.runtime.sleep(10_500 * MS)
        next(task for task in world.runtime.live if task.name == f"load job of {MODEL}").cancel()
        await world.runtime.sleep(MINUTE)
        send(world, other)
        await world.runtime.sleep(SECOND)
        send(world, other)

    world.run(story())

    # Its last heartbeat was 10 s after the start; 60.5 s later it is missed.
    assert world.times_s("load_started") == [0.0, 70.5]
    assert world.times_s("row_published") == [170.5]
    assert [end[1:] for end in ends(world)] == [REJECTED] * 3


def test_by_a_clock_that_is_ahead_a_living_owner_seems_dead() -> None:
    world = world_of("a", "b")
    owner, other = frontend(world), frontend(world, world.ports(clock_ahead_ns=61 * SECOND))

    async def story() -> None:
        send(world, owner)
        await world.runtime.sleep(5 * SECOND)
        send(world, other)

    world.run(story())

    assert world.times_s("load_started") == [0.0, 5.0]


def test_an_owner_that_has_lost_its_job_falls_silent_and_finishes_its_load() -> None:
    world = world_of("a")
    beats_s: list[float] = []

    async def note_beats(name: str, call: MadeCall) -> Any:
        if name == "beat_load":
            beats_s.append(world.runtime.now_ns() / SECOND)
        return await call()

    owner = frontend(world, ports_around(world, note_beats))
    taken_over = LoadJob("of somebody else", MODEL, LoadState.STAGING, heartbeat_ns=0)

    async def story() -> None:
        send(world, owner)
        await world.runtime.sleep(3500 * MS)
        world.database.jobs[MODEL] = taken_over

    world.run(story())

    assert beats_s == [1.0, 2.0, 3.0, 4.0]
    assert ends(world) == [(20.0, *COMPLETED)]
    assert job(world) == taken_over


def test_a_heartbeat_that_does_not_get_through_is_followed_by_the_next() -> None:
    world = world_of("a")
    owner = frontend(world, ports_without(world, "beat_load", from_s=3, to_s=6))
    shown_s: list[float] = []

    async def story() -> None:
        send(world, owner)
        for pause_s in (5, 4):
            await world.runtime.sleep(pause_s * SECOND + 250 * MS)
            row = job(world)
            assert row is not None
            shown_s.append(row.heartbeat_ns / SECOND)

    world.run(story())

    assert shown_s == [2.0, 9.0]


def test_an_owner_that_cannot_reach_the_registry_finishes_its_load_and_wakes_its_requests() -> None:
    world = world_of("a")
    owner = frontend(world, ports_without(world, "beat_load", "end_load"))

    async def story() -> None:
        send(world, owner, requests=2)

    world.run(story())

    assert ends(world) == [(20.0, *COMPLETED)] * 2
    assert job(world) is not None


# Loads that fail.


def test_a_failed_load_fails_those_who_wait_on_every_frontend() -> None:
    world = world_of("a")
    failing_once(world, after_ns=3 * SECOND)
    owner, other = frontend(world), frontend(world)

    async def story() -> None:
        send(world, owner)
        send(world, other)

    world.run(story())

    assert ends(world) == [(3.0, "FAILED", "LoadFailed"), (4.0, "FAILED", "LoadFailed")]
    assert loads(world) == 1


def test_for_15_seconds_a_failed_load_is_not_tried_again() -> None:
    world = world_of("a")
    failing_once(world, after_ns=3 * SECOND)
    frontends = [frontend(world) for _ in range(2)]

    async def story() -> None:
        send(world, frontends[0])
        await world.runtime.sleep(17_999 * MS)
        for each in frontends:
            send(world, each)
        await world.runtime.sleep(2 * MS)
        send(world, frontends[1])

    world.run(story())

    assert ends(world) == [
        (3.0, "FAILED", "LoadFailed"),
        (17.999, "FAILED", "LoadFailed"),
        (17.999, "FAILED", "LoadFailed"),
        (38.001, *COMPLETED),
    ]
    assert world.times_s("load_started") == [0.0, 18.001]


def test_the_failure_comes_with_its_cause() -> None:
    world = world_of("a")
    failing_once(world, after_ns=3 * SECOND)

    async def story() -> None:
        with pytest.raises(LoadFailed, match=rf"^CallError: {REFUSAL}$"):
            await job_load(world).route(world.request(), nothing_warm)

    world.run(story())

    assert loads(world) == 1


@pytest.mark.parametrize("after_ms", range(2_000, 3_500, 100))
def test_no_late_heartbeat_hides_a_failure(after_ms: int) -> None:
    world = world_of("a", transaction_ns=300 * MS)
    failing_once(world, after_ns=after_ms * MS)
    only = frontend(world)

    async def story() -> None:
        send(world, only)
        await world.runtime.sleep(15 * SECOND)
        row = job(world)
        assert row is not None
        assert (row.state, row.cause) == (LoadState.FAILED, f"CallError: {REFUSAL}")

    world.run(story())

    assert [end[1:] for end in ends(world)] == [("FAILED", "LoadFailed")]
