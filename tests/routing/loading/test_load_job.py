"""Cold loads as jobs: one for all frontends, whoever leaves or dies, and the contrast with loads under the lock."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from sim.routing.errors import DeadlineExceeded, LoadFailed, StillLoading, Unavailable
from sim.routing.frontend import Frontend, build_frontend
from sim.routing.load_jobs import LoadJob, LoadState
from sim.routing.loading.eviction import Eviction
from sim.routing.loading.free_process import stop_exact_process
from sim.routing.loading.load_job import JobLoad, retry_after_s
from sim.routing.loading.load_limits import BY_SIZE
from sim.routing.loading.load_path import LoadPath
from sim.routing.loading.placement import REPAIRED
from sim.routing.outcomes import Outcome
from sim.routing.ports import FrontendPorts, Task
from sim.routing.proxy import MadeCall
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.request_path.route import Route
from sim.routing.settings import FrontendSettings
from sim.scenario.spec.router import RouterSpec
from sim.simulated.faults.interposed import interposed_registry
from sim.simulated.nodes.backend import LoadFailure
from tests.drivers import MS, SECOND
from tests.routing.fleet_world import MODEL, SERIALISING, FleetWorld, nodes

MINUTE = 60 * SECOND
REFUSAL = "the weights are damaged"

COMPLETED, REJECTED = ("COMPLETED", ""), ("REJECTED", "StillLoading")


def world_of(*names: str, load_s: int = 20, install_s: int = 0, transaction_ns: int = 0) -> FleetWorld:
    """Return nodes with a slot each, where nothing but this takes time, and no frontend yet."""
    process = replace(SERIALISING.process, load_time_ns=load_s * SECOND)
    model = replace(SERIALISING, process=process, install_time_ns=install_s * SECOND)
    return FleetWorld(nodes(*names), {MODEL: model}, transaction_ns=transaction_ns)


def settings(**control: str) -> FrontendSettings:
    return RouterSpec.model_validate({"profile": "hardened", "control": control}).settings()


def frontend(world: FleetWorld, ports: FrontendPorts | None = None, **control: str) -> Frontend:
    return build_frontend(settings(**control), ports or world.ports(), {})


def send(world: FleetWorld, frontend: Frontend, requests: int = 1, demand_ns: int = 0) -> None:
    """Have requests arrive now."""
    for _ in range(requests):
        world.runtime.spawn(frontend.serve(world.request(demand_ns=demand_ns)), "request")


async def visit(world: FleetWorld, frontend: Frontend, patience_ns: int) -> None:
    """Send a request whose client leaves after so long."""
    request = world.request()
    with suppress(DeadlineExceeded):
        await world.runtime.within(patience_ns, frontend.serve(request))
        return
    world.journal.ended(request, Outcome.CANCELLED, "client_left")


def ends(world: FleetWorld) -> list[tuple[float, str, str]]:
    """Return when each request ended, in seconds, and how, in the order of arrival."""
    records = world.journal.records
    causes = [*records.causes, ""]
    columns = (records.requests[column].tolist() for column in ("end_ns", "outcome", "cause"))
    return [
        (end_ns / SECOND, Outcome(outcome).name, causes[cause]) for end_ns, outcome, cause in zip(*columns, strict=True)
    ]


def loads(world: FleetWorld) -> int:
    return len(world.told("load_started"))


def job(world: FleetWorld) -> LoadJob | None:
    return world.database.jobs.get(MODEL)


def job_load(world: FleetWorld) -> JobLoad:
    """Return the strategy by itself, whose errors a frontend would keep to its journal."""
    ports = world.ports()
    runtime, registry, worker, journal = ports.runtime, ports.registry, ports.worker, ports.journal
    eviction = Eviction(runtime, registry, worker, journal, {}, stop_exact_process)
    load_path = LoadPath(runtime, registry, ports.dialer, worker, journal, {}, REPAIRED, eviction, BY_SIZE)
    return JobLoad(runtime, registry, journal, load_path, wait_ns=MINUTE)


async def nothing_warm(_request: Request) -> Route | None:
    return None


def ports_around(world: FleetWorld, around: Callable[[str, MadeCall], Awaitable[Any]]) -> FrontendPorts:
    """Return a frontend's ports on whose registry each call, known by its name, goes through `around`."""
    ports = world.ports()
    return replace(ports, registry=interposed_registry(ports.runtime, ports.registry, around))


def ports_without(world: FleetWorld, *names: str, from_s: int = 0, to_s: int = 1_000) -> FrontendPorts:
    """Return a frontend's ports whose registry does not answer these calls from one time to before the other."""

    async def around(name: str, call: MadeCall) -> Any:
        if name in names and from_s * SECOND <= world.runtime.now_ns() < to_s * SECOND:
            raise Unavailable(f"no answer to {name}")
        return await call()

    return ports_around(world, around)


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
        found.append(world.database.lock(f"model-load:{MODEL}").is_free())

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


def failing_once(world: FleetWorld, after_ns: int) -> None:
    """Have the first load fail so late, and later ones succeed."""
    failures = [LoadFailure(REFUSAL, after_ns)]
    world.workers.load_failure = lambda _key: failures.pop() if failures else None


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


# Where no job can be claimed.


@pytest.mark.parametrize("call", ["lock", "load_job", "start_load"])
def test_where_no_job_can_be_claimed_the_request_loads_on_its_own(call: str) -> None:
    world = world_of("a")
    only = frontend(world, ports_without(world, call))

    async def story() -> None:
        send(world, only)
        await world.runtime.sleep(10 * SECOND)
        assert job(world) is None

    world.run(story())

    assert ends(world) == [(20.0, *COMPLETED)]
    assert [row.in_flight for row in world.rows()] == [0]


def test_an_orphan_that_cannot_be_deleted_leads_to_a_load_of_ones_own() -> None:
    world = world_of("a")
    only = frontend(world, ports_without(world, "end_load"))
    orphan = LoadJob("of a dead frontend", MODEL, LoadState.LOADING, heartbeat_ns=-2 * MINUTE)
    world.database.jobs[MODEL] = orphan

    async def story() -> None:
        send(world, only)

    world.run(story())

    assert ends(world) == [(20.0, *COMPLETED)]
    assert job(world) == orphan


def test_requests_that_load_on_their_own_load_side_by_side() -> None:
    world = world_of("a", "b", install_s=1)
    only = frontend(world, ports_without(world, "lock"))

    async def story() -> None:
        send(world, only)
        await world.runtime.sleep(2 * SECOND)
        send(world, only)

    world.run(story())

    assert world.times_s("load_started") == [1.0, 3.0]


def test_the_new_row_counts_the_request_that_loaded_on_its_own_from_the_start() -> None:
    world = world_of("a")
    only = frontend(world, ports_without(world, "lock"))
    counts: list[int] = []

    async def story() -> None:
        send(world, only, demand_ns=5 * SECOND)
        for _ in range(2):
            await world.runtime.sleep(22 * SECOND)
            counts.extend(row.in_flight for row in world.rows())

    world.run(story())

    # As after a pick: 1 for the place, 1 for the call.
    assert counts == [2, 0]


def test_a_load_of_ones_own_outlasts_the_wait_for_a_job() -> None:
    world = world_of("a", load_s=90)
    only = frontend(world, ports_without(world, "lock"))

    async def story() -> None:
        send(world, only)

    world.run(story())

    assert ends(world) == [(90.0, *COMPLETED)]


def test_a_load_of_ones_own_goes_on_when_the_request_leaves_and_its_place_is_given_back() -> None:
    world = world_of("a")
    only = frontend(world, ports_without(world, "lock"))

    async def story() -> None:
        await visit(world, only, patience_ns=5 * SECOND)

    world.run(story())

    assert world.times_s("row_published") == [20.0]
    assert [row.in_flight for row in world.rows()] == [0]


def test_a_request_that_leaves_at_the_very_end_of_its_own_load_gives_its_place_back() -> None:
    world = world_of("a")
    clients: list[Task] = []

    async def leave_when_published(name: str, call: MadeCall) -> Any:
        if name == "lock":
            raise Unavailable("no lock")
        answer = await call()
        if name == "publish" and world.runtime.now_ns() == 20 * SECOND:
            # Takes effect later at this instant: when the load has ended, and before the request goes on.
            clients[0].cancel()
        return answer

    only = frontend(world, ports_around(world, leave_when_published))

    async def story() -> None:
        clients.append(world.runtime.spawn(only.serve(world.request()), "client"))

    world.run(story())

    assert world.times_s("row_published") == [20.0]
    assert [row.in_flight for row in world.rows()] == [0]


def test_a_load_of_ones_own_that_fails_does_so_under_its_own_name() -> None:
    world = world_of("a")
    failing_once(world, after_ns=3 * SECOND)
    without_nodes = world_of()
    frontends = [(each, frontend(each, ports_without(each, "lock"))) for each in (world, without_nodes)]

    async def story(world: FleetWorld, only: Frontend) -> None:
        send(world, only)

    for each, only in frontends:
        each.run(story(each, only))

    assert ends(world) == [(3.0, "FAILED", "CallError")]
    assert ends(without_nodes) == [(2.5, "FAILED", "NoReplica")]
