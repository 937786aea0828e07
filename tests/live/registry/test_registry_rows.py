"""What the real registry does with rows, on each kind of database, beyond what every registry promises."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, literal, select, text, update
from sqlalchemy.exc import IntegrityError

from sim.live.registry.connection import connect
from sim.live.registry.load_jobs import SqlLoadJobs
from sim.live.registry.tables import backend_nodes, node_models
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import NotCommitted
from sim.routing.fleet import Cooldown, Fleet, NodeFacts, NodeStatus
from sim.routing.replica import NULL, ReplicaKey
from tests.choices import BEST

MODEL = "m"
KEY = ReplicaKey("n0", MODEL, 0)


class SetClock(AsyncioRuntime):
    """A runtime whose wall clock shows what it is told to."""

    shown_ns = 0

    def wall_ns(self) -> int:
        return self.shown_ns


def tell(url: str, story: Callable[[SqlLoadJobs], Awaitable[None]], runtime: AsyncioRuntime | None = None) -> None:
    async def on_registry() -> None:
        async with connect(url, runtime or AsyncioRuntime()) as registry:
            await registry.reset()
            for node in ("n0", "n1"):
                await registry.register_node(NodeFacts(node, total_vram_bytes=8))
            await registry.publish(KEY, "n0:1", 0)
            await story(registry)

    asyncio.run(on_registry())


async def execute(registry: SqlLoadJobs, statement: Any) -> None:
    async with registry.engine.begin() as connection:
        await connection.execute(statement)


def test_of_a_row_of_nulls_what_decides_a_pick_stays_null_and_the_rest_reads_as_0_or_empty(database_url: str) -> None:
    async def story(registry: SqlLoadJobs) -> None:
        await execute(registry, update(node_models).values(in_flight=None, last_used=None))
        await execute(registry, update(node_models).values(updated_at=None))
        nullable = [column.name for column in backend_nodes.columns if column.nullable]
        await execute(registry, update(backend_nodes).values(dict.fromkeys(nullable)))

        [row] = (await registry.fleet()).rows
        node, _ = (await registry.fleet()).nodes
        replica = await registry.pick(MODEL, BEST)

        assert replica is not None
        assert (replica.in_flight, replica.last_used_ns, replica.available_vram_bytes) == (NULL, NULL, NULL)
        assert [row.in_flight for row in await registry.rows()] == [None]
        assert (row.in_flight, row.last_used_ns, row.updated_ns) == (NULL, NULL, 0)
        assert (node.address, node.labels, node.heartbeat_ns) == ("", {}, 0)
        assert (node.available_vram_bytes, node.reserved_vram_bytes) == (NULL, 0)
        assert (node.total_disk_bytes, node.available_disk_bytes) == (0, 0)

    tell(database_url, story)


def test_nothing_is_reserved_yet_on_a_node_that_is_older_than_the_column(database_url: str) -> None:
    async def story(registry: SqlLoadJobs) -> None:
        await execute(registry, update(backend_nodes).values(reserved_vram=None))

        assert [await registry.reserve_vram("n0", size_bytes) for size_bytes in (8, 1)] == [True, False]

    tell(database_url, story)


def test_times_are_written_by_the_clock_of_the_frontend(database_url: str) -> None:
    clock = SetClock()

    async def story(registry: SqlLoadJobs) -> None:
        written = []
        steps = [registry.pick(MODEL, BEST), registry.increment(KEY), registry.touch(KEY), registry.publish(KEY, "", 0)]
        for at_ns, step in enumerate(steps, start=-1):
            clock.shown_ns = at_ns
            await step
            written.append((await registry.rows())[0].last_used_ns)

        assert written == [-1, 0, 1, 2]

    tell(database_url, story, clock)


def test_one_replica_cannot_have_two_rows(database_url: str) -> None:
    async def story(registry: SqlLoadJobs) -> None:
        twin = insert(node_models).from_select(
            [column.name for column in node_models.columns],
            select(literal("x").concat(node_models.c.id), *list(node_models.columns)[1:]),
        )
        with pytest.raises(IntegrityError):
            await execute(registry, twin)

    tell(database_url, story)


def test_of_racing_publishers_one_row_is_left(database_url: str) -> None:
    async def story(registry: SqlLoadJobs) -> None:
        await registry.remove(KEY)

        await asyncio.gather(*[registry.publish(KEY, f"a{n}", 1) for n in range(8)])

        assert [row.in_flight for row in await registry.rows()] == [1]

    tell(database_url, story)


def test_a_decrement_that_finds_its_row_at_0_is_counted_and_one_without_a_row_is_not(database_url: str) -> None:
    async def story(registry: SqlLoadJobs) -> None:
        await registry.increment(KEY)

        registry.give_back(KEY, 3)
        registry.give_back(ReplicaKey("gone", MODEL, 0), 1)
        await registry.drain()

        assert registry.floor_hits == 2

    tell(database_url, story)


def test_each_call_is_a_transaction_and_each_count_given_back_another(database_url: str) -> None:
    async def story(registry: SqlLoadJobs) -> None:
        before = registry.transactions

        await registry.pick(MODEL, BEST)
        registry.give_back(KEY, 2)
        async with registry.lock("name"), registry.try_lock("another"):
            pass
        await registry.fleet()
        await registry.evict(lambda _: None)
        await registry.set_status("n0", NodeStatus.OFFLINE)
        await registry.drain()

        assert registry.transactions - before == 8

    tell(database_url, story)


def test_what_is_given_back_at_the_very_end_is_still_written(database_url: str) -> None:
    async def leave_at_once(registry: SqlLoadJobs) -> None:
        await registry.increment(KEY)
        registry.give_back(KEY, 1)

    async def left() -> int:
        async with connect(database_url, AsyncioRuntime()) as registry:
            return await registry.total_in_flight()

    tell(database_url, leave_at_once)

    assert asyncio.run(left()) == 0


def test_a_reset_leaves_nothing(database_url: str) -> None:
    async def story(registry: SqlLoadJobs) -> None:
        await registry.set_cooldown(MODEL, Cooldown(1, 2))
        await registry.claim_pass("health", 10**9)
        await registry.start_load(MODEL)

        await registry.reset()

        assert await registry.fleet() == Fleet(nodes=[], rows=[], loadable={}, cooldowns={})
        assert await registry.claim_pass("health", 10**9) is True
        assert await registry.load_job(MODEL) is None

    tell(database_url, story)


def test_a_failing_database_is_unavailable_to_callers_and_logged_for_those_who_left(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(registry: SqlLoadJobs) -> None:
        async with registry.engine.begin() as connection:
            await connection.run_sync(node_models.drop)
        try:
            with pytest.raises(NotCommitted, match=r"the registry did not answer: .*node_models"):
                await registry.pick(MODEL, BEST)
            with pytest.raises(NotCommitted):
                await registry.decrement(KEY, 2)
            registry.give_back(KEY, 1)
            await registry.drain()
            assert ["was not taken back" in message for message in caplog.messages] == [True]
        finally:
            async with registry.engine.begin() as connection:
                await connection.run_sync(node_models.create)

    tell(database_url, story)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("registry.db", "must be like sqlite:///registry.db or postgresql://"),
        ("mysql://localhost/db", "mysql is neither sqlite nor postgresql"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:///registry.db?synchronous=of", "synchronous must be normal or off"),
    ],
)
def test_a_url_that_names_no_usable_database_is_refused(url: str, complaint: str) -> None:
    async def attempt() -> None:
        async with connect(url, AsyncioRuntime()):
            pass

    with pytest.raises(ValueError, match=complaint):
        asyncio.run(attempt())


@pytest.mark.parametrize(("options", "level"), [("", 1), ("?synchronous=off", 0)])
def test_a_file_on_sqlite_is_waited_for_only_if_a_power_cut_may_not_spoil_it(
    tmp_path: Path, options: str, level: int
) -> None:
    async def asked() -> int:
        url = f"sqlite:///{tmp_path}/registry.db{options}"
        async with connect(url, AsyncioRuntime()) as registry, registry.engine.connect() as connection:
            return int((await connection.execute(text("PRAGMA synchronous"))).scalar_one())

    assert asyncio.run(asked()) == level


def test_an_unknown_pick_mode_is_refused(database_url: str) -> None:
    async def attempt() -> None:
        async with connect(database_url, AsyncioRuntime(), pick="random"):
            pass

    with pytest.raises(ValueError, match="pick mode 'random'"):
        asyncio.run(attempt())
