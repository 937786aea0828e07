"""How a call of a frontend ends: its caller hears of it, its replica is given back, and it is told once."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from sim.routing.errors import ModelNotLoaded, Unavailable
from tests.live.frontends import in_flight, open_frontend, publish, sqlite_url
from tests.live.workers import BY_TOKENS, KEY, LONG_MS, live_world, run
from tests.twins import MODEL, ListJournal
from tests.waiting import until


def test_a_call_that_fails_raises_its_error_and_is_told_once(tmp_path: Path) -> None:
    async def story() -> None:
        journal = ListJournal()
        async with live_world() as world, open_frontend(sqlite_url(tmp_path), journal=journal) as frontend:
            await publish(frontend, world, KEY)
            world.workers.drop_model(KEY)
            await until("the memory to be free", lambda: world.free_vram[-1] == world.free_vram[0])

            with pytest.raises(ModelNotLoaded, match="model not loaded"):
                await frontend.predict(MODEL, "Hello")

            assert journal.of("ended") == [("ended", 0, "FAILED", "ModelNotLoaded")]

    run(story)


def test_a_replica_killed_in_the_middle_of_a_stream_ends_it_as_unavailable(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(service=BY_TOKENS) as world, open_frontend(sqlite_url(tmp_path)) as frontend:
            await publish(frontend, world, KEY)

            pieces = frontend.stream(MODEL, "Hello", max_tokens=LONG_MS)

            assert await anext(pieces) == "first"
            world.workers.kill(KEY)

            with pytest.raises(Unavailable):
                await anext(pieces)

        assert await in_flight(sqlite_url(tmp_path)) == 0

    run(story)


@pytest.mark.parametrize("served", [False, True], ids=["before it is routed", "while it is served"])
def test_a_cancelled_call_gives_its_replica_back_and_is_told_once(tmp_path: Path, served: bool) -> None:
    async def story() -> None:
        journal = ListJournal()
        async with (
            live_world(service=BY_TOKENS) as world,
            open_frontend(sqlite_url(tmp_path), journal=journal) as frontend,
        ):
            await publish(frontend, world, KEY)
            call = asyncio.create_task(frontend.predict(MODEL, "Hello", max_tokens=LONG_MS))
            await asyncio.sleep(0)
            if served:
                await until("service", lambda: journal.of("served_from"))

            call.cancel()

            with pytest.raises(asyncio.CancelledError):
                await call
            assert journal.of("ended") == [("ended", 0, "CANCELLED", "client_left")]
            await frontend.predict(MODEL, "Hello")
        assert await in_flight(sqlite_url(tmp_path)) == 0

    run(story)


def test_a_reader_that_leaves_a_stream_frees_its_replica(tmp_path: Path) -> None:
    async def story() -> None:
        journal = ListJournal()
        async with (
            live_world(service=BY_TOKENS, workers=1) as world,
            open_frontend(sqlite_url(tmp_path), journal=journal) as frontend,
        ):
            await publish(frontend, world, KEY)

            async with aclosing(frontend.stream(MODEL, "Hello", max_tokens=LONG_MS)) as pieces:
                assert await anext(pieces) == "first"

            await frontend.predict(MODEL, "Hello")
            assert journal.of("ended") == [("ended", 0, "CANCELLED", "client_left"), ("ended", 1, "COMPLETED", "")]

    run(story)


def test_calls_under_way_end_as_unavailable_when_the_frontend_closes(tmp_path: Path) -> None:
    async def story() -> None:
        journal = ListJournal()
        async with live_world(service=BY_TOKENS) as world:
            async with open_frontend(sqlite_url(tmp_path), journal=journal) as frontend:
                await publish(frontend, world, KEY)
                call = asyncio.create_task(frontend.predict(MODEL, "Hello", max_tokens=LONG_MS))
                await until("service", lambda: journal.of("served_from"))

            with pytest.raises(Unavailable, match="the frontend was closed"):
                await call
        assert await in_flight(sqlite_url(tmp_path)) == 0

    run(story)
