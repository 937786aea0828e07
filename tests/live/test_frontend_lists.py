"""A frontend of one's own that picks from lists of replicas: what the registry hears of its counts, and when."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from sim.live import Frontend
from sim.routing.errors import Unavailable
from tests.live.conftest import NewDatabase
from tests.live.frontends import in_flight, open_frontend, publish, sqlite_url
from tests.live.workers import BY_TOKENS, KEY, LONG_MS, OTHER, live_world, run
from tests.twins import MODEL
from tests.waiting import in_time

NEVER, SOON = "1h", "20ms"
GATE = 7
"""An advisory lock."""
WAITS_FOR_US = text("SELECT pid FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")


def listed(refresh: str) -> dict[str, Any]:
    return {"replica_list": {"refresh": refresh, "counts": "own_in_flight"}}


def test_prompts_are_spread_by_the_list_without_a_transaction_for_each(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            live_world(service=BY_TOKENS) as world,
            open_frontend(sqlite_url(tmp_path), profile="hardened", router=listed(NEVER)) as frontend,
        ):
            await publish(frontend, world, KEY, OTHER)
            before = frontend.registry.transactions

            answers = await asyncio.gather(*(frontend.predict(MODEL, "Hello", max_tokens=50) for _ in range(6)))

            assert Counter(answer.replica for answer in answers) == {KEY: 3, OTHER: 3}
            assert frontend.registry.transactions - before == 1  # the reading of the list
        assert await in_flight(sqlite_url(tmp_path)) == 0

    run(story)


async def two_calls_that_the_registry_counts(frontend: Frontend, url: str) -> list[asyncio.Task[Any]]:
    """Begin two calls that last, and wait until an exchange has told the registry of both."""
    counted = await in_flight(url) + 4  # A pick and the start of its call count 1 each.
    calls = [asyncio.create_task(frontend.predict(MODEL, "Hello", max_tokens=LONG_MS)) for _ in range(2)]
    await in_time("the registry to count two calls", until_counted(counted, url))
    return calls


async def until_counted(least: int, url: str) -> None:
    while await in_flight(url) < least:
        await asyncio.sleep(0.01)


def test_counts_of_calls_that_the_close_cuts_off_are_taken_back(database_url: str) -> None:
    async def story() -> None:
        async with live_world(service=BY_TOKENS) as world:
            async with open_frontend(database_url, profile="hardened", router=listed(SOON)) as frontend:
                await publish(frontend, world, KEY, OTHER)
                calls = await two_calls_that_the_registry_counts(frontend, database_url)

            ends = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(end) for end in ends] == [Unavailable, Unavailable]
        assert await in_flight(database_url) == 0

    run(story)


COMMITS_WAIT = [
    f"""CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NULL; END'""",
    """CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON node_models DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait()""",
]
"""A commit that has changed a replica's row waits while another session holds the gate."""


def test_an_exchange_that_the_close_finds_at_its_commit_is_made_once(new_postgres_database: NewDatabase) -> None:
    url = new_postgres_database()

    async def story() -> None:
        engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
        async with live_world(service=BY_TOKENS) as world, engine.connect() as other:
            async with open_frontend(url, profile="hardened", router=listed(SOON)) as frontend:
                await publish(frontend, world, KEY, OTHER)
                for key in (KEY, KEY, OTHER, OTHER):  # as another frontend would, whose counts are to stay
                    await frontend.registry.increment(key)
                kept, left = await two_calls_that_the_registry_counts(frontend, url)
                for statement in COMMITS_WAIT:
                    await other.execute(text(statement))
                await other.execute(text(f"SELECT pg_advisory_lock({GATE})"))
                await other.commit()
                left.cancel()
                # It is the exchange that takes the counts of `left` back.
                await in_time("a commit to wait for the gate", until_somebody_waits_for(other))
                opening = asyncio.create_task(open_gate_after(kept, other))
            await opening
            with pytest.raises(Unavailable):
                await kept
        await engine.dispose()
        assert await in_flight(url) == 4

    run(story)


async def until_somebody_waits_for(connection: AsyncConnection) -> None:
    while (await connection.execute(WAITS_FOR_US)).first() is None:
        await asyncio.sleep(0.01)


async def open_gate_after(call: asyncio.Task[Any], other: AsyncConnection) -> None:
    await asyncio.wait([call])
    await other.execute(text("SELECT pg_advisory_unlock_all()"))
