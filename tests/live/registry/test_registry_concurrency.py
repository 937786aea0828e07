"""What simultaneous callers of the real registry do to each other, and what callers that leave do not leave behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import delete, select, text, update

from sim.live.registry.connection import connect
from sim.live.registry.load_jobs import SqlLoadJobs
from sim.live.registry.tables import backend_nodes, node_models
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import DeadlineExceeded
from sim.routing.fleet import Fleet, NodeFacts, NodeReport, NodeStatus, ReplicaRow
from sim.routing.replica import Replica, ReplicaKey
from tests.choices import BEST
from tests.live.registry.lock_waits import until_waiting
from tests.waiting import in_time

MODEL = "m"
REPLICAS, PICKS = 4, 32
GB = 10**9
KEYS = [ReplicaKey(f"n{n}", MODEL, 0) for n in range(REPLICAS)]
LOCKS = text(
    "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE locktype = 'advisory' AND datname = current_database()"
)


@asynccontextmanager
async def idle_replicas(
    url: str, pick: str = "read_committed", waits_ns: list[int] | None = None
) -> AsyncIterator[SqlLoadJobs]:
    """Open a registry of idle replicas, whose connections are open already."""
    lock_waited = [] if waits_ns is None else waits_ns
    async with connect(url, AsyncioRuntime(), pick=pick, connections=PICKS, lock_waited=lock_waited.append) as registry:
        await registry.reset()
        for key in KEYS:
            await registry.register_node(NodeFacts(key.node, total_vram_bytes=GB))
            await registry.publish(key, f"{key.node}:1", 0)
        await asyncio.gather(*[registry.total_in_flight() for _ in range(PICKS)])
        yield registry


async def counts(registry: SqlLoadJobs) -> list[int]:
    return sorted((row.in_flight or 0 for row in await registry.rows()), reverse=True)


def test_simultaneous_picks_herd_when_they_are_read_committed(postgres_url: str) -> None:
    async def story() -> list[int]:
        async with idle_replicas(postgres_url) as registry:
            await asyncio.gather(*[registry.pick(MODEL, BEST) for _ in range(PICKS)])
            return await counts(registry)

    in_flight = asyncio.run(story())

    assert sum(in_flight) == PICKS
    assert max(in_flight) >= 2 * PICKS / REPLICAS


def test_simultaneous_picks_spread_evenly_when_they_are_locked(postgres_url: str) -> None:
    waits_ns: list[int] = []

    async def story() -> list[int]:
        async with idle_replicas(postgres_url, "locked", waits_ns) as registry:
            await asyncio.gather(*[registry.pick(MODEL, BEST) for _ in range(PICKS)])
            return await counts(registry)

    assert asyncio.run(story()) == [PICKS / REPLICAS] * REPLICAS
    assert waits_ns, "picks that had to wait for the lock of their model must tell"


def test_simultaneous_picks_spread_evenly_on_sqlite(tmp_path: object) -> None:
    async def story() -> list[int]:
        async with idle_replicas(f"sqlite:///{tmp_path}/registry.db") as registry:
            await asyncio.gather(*[registry.pick(MODEL, BEST) for _ in range(PICKS)])
            return await counts(registry)

    assert asyncio.run(story()) == [PICKS / REPLICAS] * REPLICAS


def test_picks_that_wait_for_a_row_take_it_however_loaded_it_has_become(postgres_url: str) -> None:
    async def story() -> list[int]:
        async with idle_replicas(postgres_url) as registry:
            best = select(node_models.c.id).where(node_models.c.node_id == "n0").with_for_update()
            async with registry.engine.begin() as holder:
                await holder.execute(best)
                picks = [asyncio.create_task(registry.pick(MODEL, BEST)) for _ in range(8)]
                await until_waiting(registry.engine, 8)
                await holder.execute(update(node_models).where(node_models.c.node_id == "n0").values(in_flight=100))
            await asyncio.gather(*picks)
            return await counts(registry)

    assert asyncio.run(story()) == [108, 0, 0, 0]


@pytest.mark.parametrize(
    "change",
    [
        delete(node_models).where(node_models.c.node_id == "n0"),
        update(backend_nodes).where(backend_nodes.c.id == "n0").values(status="draining"),
    ],
    ids=["row deleted", "node not healthy"],
)
def test_a_pick_whose_row_goes_meanwhile_goes_on_in_its_old_order(change: object, postgres_url: str) -> None:
    async def story() -> Replica | None:
        async with idle_replicas(postgres_url) as registry:
            async with registry.engine.begin() as holder:
                await holder.execute(change)  # type: ignore[call-overload]
                pick = asyncio.create_task(registry.pick(MODEL, BEST))
                await until_waiting(registry.engine, 1)
            return await pick

    replica = asyncio.run(story())

    assert replica is not None
    assert replica.key.node == "n1"


def test_a_pick_waits_for_a_pick_of_another_model_on_the_same_node(postgres_url: str) -> None:
    async def story() -> None:
        async with idle_replicas(postgres_url) as registry:
            await registry.publish(ReplicaKey("n0", "other", 0), "n0:2", 0)
            async with registry.engine.begin() as holder:
                await holder.execute(select(backend_nodes.c.id).where(backend_nodes.c.id == "n0").with_for_update())
                pick = asyncio.create_task(registry.pick("other", BEST))
                report = asyncio.create_task(registry.heartbeat("n0", NodeReport()))
                await until_waiting(registry.engine, 2)
                assert not pick.done()
                assert not report.done()
            assert await pick is not None
            await report

    asyncio.run(story())


def idle_row(fleet: Fleet) -> ReplicaRow | None:
    return next((row for row in fleet.rows if not row.in_flight), None)


def test_an_eviction_takes_no_row_that_a_pick_has_counted_on(database_url: str) -> None:
    async def story() -> None:
        async with idle_replicas(database_url) as registry:
            for _ in range(10):
                for key in KEYS:
                    await registry.publish(key, f"{key.node}:1", 0)

                picks = [registry.pick(MODEL, BEST) for _ in range(3)]
                evicted, *replicas = await asyncio.gather(registry.evict(idle_row), *picks)

                assert evicted is not None
                assert evicted.key not in [replica.key for replica in replicas if replica is not None]
                assert None not in replicas

    asyncio.run(story())


def test_an_eviction_waits_for_a_row_that_is_held_and_sees_what_became_of_it(postgres_url: str) -> None:
    async def story() -> ReplicaRow | None:
        async with idle_replicas(postgres_url) as registry:
            async with registry.engine.begin() as holder:
                await holder.execute(update(node_models).values(in_flight=1))
                eviction = asyncio.create_task(registry.evict(idle_row))
                await until_waiting(registry.engine, 1)
            return await eviction

    assert asyncio.run(story()) is None


@pytest.mark.parametrize("times", [8, pytest.param(80, marks=pytest.mark.long)])
def test_those_who_change_rows_and_nodes_never_wait_for_one_another_in_a_circle(database_url: str, times: int) -> None:
    async def story() -> None:
        async with idle_replicas(database_url, "locked") as registry:
            for _ in range(times):
                await asyncio.gather(
                    *[registry.pick(MODEL, BEST) for _ in range(6)],
                    *[registry.publish(key, f"{key.node}:1", 0) for key in KEYS],
                    registry.set_status("n0", NodeStatus.OFFLINE),
                    registry.set_status("n0", NodeStatus.HEALTHY),
                    registry.register_node(NodeFacts("n1")),
                    registry.heartbeat("n1", NodeReport()),
                    *[registry.evict(idle_row) for _ in range(2)],
                )

    # A circle would end with one of them told that the registry is Unavailable.
    asyncio.run(story())


@pytest.mark.parametrize("times", [12, pytest.param(120, marks=pytest.mark.long)])
def test_a_fleet_is_read_as_of_one_instant(database_url: str, times: int) -> None:
    async def come_and_go(registry: SqlLoadJobs) -> None:
        for _ in range(times):
            await registry.set_status("n0", NodeStatus.HEALTHY)
            await registry.publish(KEYS[0], "n0:1", 0)
            await registry.set_status("n0", NodeStatus.OFFLINE)

    async def story() -> None:
        async with idle_replicas(database_url) as registry, connect(database_url, AsyncioRuntime()) as reader:
            changes = asyncio.create_task(come_and_go(registry))
            while not changes.done():
                fleet = await reader.fleet()
                assert fleet.nodes[0].is_healthy or fleet.rows_on("n0") == []
            await changes

    asyncio.run(story())


Call = Callable[[SqlLoadJobs], Awaitable[object]]


async def hold_lock(registry: SqlLoadJobs) -> None:
    async with registry.lock("load"):
        await asyncio.sleep(0)


async def try_lock(registry: SqlLoadJobs) -> None:
    async with registry.try_lock("load"):
        await asyncio.sleep(0)


# id: the call, and what it adds to what is held when it returns.
CALLS: dict[str, tuple[Call, int]] = {
    "pick": (lambda registry: registry.pick(MODEL, BEST), 1),
    "increment": (lambda registry: registry.increment(KEYS[1]), 1),
    "publish": (lambda registry: registry.publish(ReplicaKey("n0", MODEL, 1), "n0:9", 1), 1),
    "reserve_vram": (lambda registry: registry.reserve_vram("n0", 1), 1),
    "start_load": (lambda registry: registry.start_load(MODEL), 1),
    "lock": (hold_lock, 0),
    "try_lock": (try_lock, 0),
}


async def held(registry: SqlLoadJobs) -> int:
    """Return the sum of what calls count, reserve and start."""
    fleet = await registry.fleet()
    reserved = sum(node.reserved_vram_bytes for node in fleet.nodes)
    return await registry.total_in_flight() + reserved + (await registry.load_job(MODEL) is not None)


async def make_room(registry: SqlLoadJobs) -> None:
    """Take away what would stand in the way of the same call."""
    await registry.remove(ReplicaKey("n0", MODEL, 1))
    job = await registry.load_job(MODEL)
    if job is not None:
        await registry.end_load(job.id)


# How picks are made is nothing to the other calls.
CALLED = [("pick", "locked"), *((call, "read_committed") for call in CALLS)]
CANCELLED = [
    # The short form tries each call on one database in turn, and not as finely.
    pytest.param(*called, finely, database, marks=() if finely == 3 and place % 2 == turn else pytest.mark.long)
    for place, called in enumerate(CALLED)
    for turn, database in enumerate(("postgresql", "sqlite"))
    for finely in (3, 12)
]


@pytest.mark.parametrize(("call", "pick", "finely", "database_url"), CANCELLED, indirect=["database_url"])
def test_a_caller_cancelled_anywhere_leaves_nothing_behind(
    call: str, pick: str, finely: int, database_url: str
) -> None:
    make_call, adds = CALLS[call]

    async def cancelled_after(registry: SqlLoadJobs, steps: int) -> bool:
        task = asyncio.ensure_future(make_call(registry))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        return isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)

    async def story() -> None:
        outcomes = set()
        async with idle_replicas(database_url, pick) as registry:
            steps = 0
            # Until a call has run to its end before it could be cancelled.
            while False not in outcomes:
                await make_room(registry)
                before = await held(registry)
                was_cancelled = await cancelled_after(registry, steps)
                await registry.drain()
                outcomes.add(was_cancelled)
                assert await held(registry) - before == (0 if was_cancelled else adds), steps
                steps += 1 + steps // finely
            await nothing_is_held(registry)
        assert outcomes == {True, False}

    asyncio.run(story())


async def nothing_is_held(registry: SqlLoadJobs) -> None:
    await in_time("the lock", asyncio.gather(*[hold_lock(registry) for _ in range(3)]))
    picks = await in_time("picks", asyncio.gather(*[registry.pick(MODEL, BEST) for _ in range(PICKS)]))
    assert None not in picks
    if registry.engine.dialect.name == "postgresql":
        await in_time("all locks of the server to be free", _until_unlocked(registry))


async def _until_unlocked(registry: SqlLoadJobs) -> None:
    async with registry.engine.connect() as connection:
        while (await connection.execute(LOCKS)).scalar_one():
            await asyncio.sleep(0.01)


def test_a_pick_cancelled_while_it_waits_for_its_row_is_not_counted(postgres_url: str) -> None:
    async def story() -> list[int]:
        async with idle_replicas(postgres_url) as registry:
            async with registry.engine.begin() as holder:
                await holder.execute(select(node_models.c.id).with_for_update())
                with pytest.raises(DeadlineExceeded):
                    await AsyncioRuntime().within(50_000_000, registry.pick(MODEL, BEST))
            await registry.drain()
            return await counts(registry)

    assert asyncio.run(story()) == [0, 0, 0, 0]


def test_the_end_does_not_wait_for_ever_for_a_lock_that_is_not_released(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.live.registry.transactions.DRAIN_LIMIT_S", 0.1)

    async def story() -> list[int]:
        async with idle_replicas(postgres_url) as registry, registry.engine.begin() as holder:
            await registry.increment(KEYS[0])
            await holder.execute(select(node_models.c.id).with_for_update())
            async with connect(postgres_url, AsyncioRuntime()) as leaving:
                leaving.give_back(KEYS[0], 1)
            await holder.rollback()
            return await counts(registry)

    assert asyncio.run(story()) == [1, 0, 0, 0]


def test_more_picks_than_connections_wait_their_turn(postgres_url: str) -> None:
    async def story() -> int:
        async with idle_replicas(postgres_url), connect(postgres_url, AsyncioRuntime(), connections=2) as registry:
            await asyncio.gather(*[registry.pick(MODEL, BEST) for _ in range(PICKS)])
            return await registry.total_in_flight()

    assert asyncio.run(story()) == PICKS
