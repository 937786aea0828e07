"""Processes that share a registry: its tables are made once, and its locks exclude and end with their holder."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from sim.live.registry.connection import connect
from sim.live.registry.load_jobs import SqlLoadJobs
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import Unavailable
from tests.waiting import LIMIT_S, in_time

CUT_OFF_HOLDERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE locktype = 'advisory' AND datname = current_database()"
)
PROGRAM = [sys.executable, str(Path(__file__).with_name("registry_process.py"))]


@contextmanager
def holder_of(url: str, lock: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process that holds the lock."""
    command = [*PROGRAM, "hold", url, lock]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


async def can_take(registry: SqlLoadJobs, lock: str, limit_s: float) -> bool:
    try:
        async with asyncio.timeout(limit_s), registry.lock(lock):
            return True
    except TimeoutError:
        return False


@pytest.mark.parametrize(
    "empty_database_url", ["postgresql", pytest.param("sqlite", marks=pytest.mark.long)], indirect=True
)
def test_processes_that_connect_at_once_make_the_tables_once(empty_database_url: str) -> None:
    command = [*PROGRAM, "connect", empty_database_url]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]

    errors = [process.communicate()[1] for process in processes]

    assert [process.returncode for process in processes] == [0] * 3, errors


def test_a_lock_excludes_another_process_until_that_one_is_killed(database_url: str) -> None:
    async def story() -> tuple[bool, bool, bool]:
        async with connect(database_url, AsyncioRuntime()) as registry:
            with holder_of(database_url, "load") as process:
                other_name = await can_take(registry, "another", LIMIT_S)
                while_held = await can_take(registry, "load", 0.3)
                process.kill()
                process.wait()
                return other_name, while_held, await can_take(registry, "load", LIMIT_S)

    assert asyncio.run(story()) == (True, False, True)


def test_a_lock_that_another_process_holds_cannot_be_had_by_trying_until_that_one_is_killed(database_url: str) -> None:
    async def tried(registry: SqlLoadJobs) -> bool:
        async with registry.try_lock("pass") as is_held:
            return is_held

    async def until_taken(registry: SqlLoadJobs) -> None:
        while not await tried(registry):
            await asyncio.sleep(0.01)

    async def story() -> tuple[bool, bool]:
        async with connect(database_url, AsyncioRuntime()) as registry:
            with holder_of(database_url, "pass") as process:
                while_held = await tried(registry)
                process.kill()
                process.wait()
            # A server may take a moment to notice.
            await in_time("the server to notice", until_taken(registry))
            return while_held, await tried(registry)

    assert asyncio.run(story()) == (False, True)


def test_a_lock_whose_session_is_cut_off_does_not_undo_what_was_done_under_it(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with connect(postgres_url, AsyncioRuntime()) as registry:
            async with registry.lock("load"), registry.engine.begin() as connection:
                await connection.execute(CUT_OFF_HOLDERS)
            assert await can_take(registry, "load", LIMIT_S)

    asyncio.run(story())

    assert "a lock was lost before it was released" in caplog.text


def test_a_lock_that_cannot_be_taken_is_unavailable(tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    folder.mkdir()

    async def story() -> None:
        async with connect(f"sqlite:///{folder}/registry.db", AsyncioRuntime()) as registry:
            shutil.rmtree(folder)
            with pytest.raises(Unavailable, match="the registry did not answer"):
                async with registry.lock("load"):
                    pass
            with pytest.raises(Unavailable, match="the registry did not answer"):
                async with registry.try_lock("load"):
                    pass

    asyncio.run(story())


def test_a_waiter_gets_the_lock_when_the_process_that_holds_it_leaves(database_url: str) -> None:
    waits_ns: list[int] = []

    async def story() -> bool:
        async with connect(database_url, AsyncioRuntime(), lock_waited=waits_ns.append) as registry:
            with holder_of(database_url, "load") as process:
                waiter = asyncio.create_task(can_take(registry, "load", LIMIT_S))
                await asyncio.sleep(0.1)
                assert not waiter.done()
                assert process.stdin is not None
                process.stdin.close()
                return await waiter

    assert asyncio.run(story())
    assert len(waits_ns) == 1


@pytest.mark.parametrize("waiters", [3])
def test_waiters_that_leave_do_not_keep_the_lock_from_others(waiters: int, database_url: str) -> None:
    async def story() -> bool:
        async with connect(database_url, AsyncioRuntime()) as registry:
            with holder_of(database_url, "load"):
                left = await asyncio.gather(*[can_take(registry, "load", 0.1 * n) for n in range(waiters)])
                assert left == [False] * waiters
            return await can_take(registry, "load", LIMIT_S)

    assert asyncio.run(story())
