"""Locks by name that exclude across processes and never outlive their holder.

On PostgreSQL it is an advisory lock of a session, which the server frees when the connection ends. With
SQLite it is `flock` on a file beside the database, which the system frees with the process.
"""

import asyncio
import fcntl
import os
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

POLL_S = 0.005
"""Time between two attempts at a file's lock. The waiter sleeps in between and blocks nothing."""


class AdvisoryLocks(Protocol):
    """Where locks of a name are held."""

    def held(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Hold the lock of that name; yields whether it had to be waited for. A waiter may be cancelled."""

    def held_if_free(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Hold the lock of that name unless somebody else does; yields whether it is held."""


class QueuedLocks:
    """Locks for which the waiters of this process queue, first come, first served. At most one waits outside.

    The outer lock decides in which order processes take turns.
    """

    def __init__(self, outer: AdvisoryLocks) -> None:
        self._outer = outer
        self._queues: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._wanted: Counter[str] = Counter()
        """Number of holders and waiters in this process by lock, because a queue looks free between two holders."""

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock of that name; yields whether it had to be waited for."""
        queued = self._wanted[name] > 0
        with self._wanting(name):
            async with self._queues[name], self._outer.held(name) as waited:
                yield queued or waited

    @asynccontextmanager
    async def held_if_free(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock of that name unless somebody else does; yields whether it is held."""
        if self._wanted[name]:
            yield False
            return
        with self._wanting(name):
            async with self._queues[name], self._outer.held_if_free(name) as is_held:
                yield is_held

    @contextmanager
    def _wanting(self, name: str) -> Iterator[None]:
        self._wanted[name] += 1
        try:
            yield
        finally:
            self._wanted[name] -= 1


class PostgresLocks:
    """Advisory locks of the server, each on a session of its own while it is held. The engine must autocommit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock of that name; yields whether it had to be waited for."""
        key = lock_key(name)
        async with self._session() as session:
            waited = not (await session.execute(select(func.pg_try_advisory_lock(key)))).scalar_one()
            if waited:
                await session.execute(select(func.pg_advisory_lock(key)))
            try:
                yield waited
            finally:
                await session.execute(select(func.pg_advisory_unlock(key)))

    @asynccontextmanager
    async def held_if_free(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock of that name unless somebody else does; yields whether it is held."""
        key = lock_key(name)
        async with self._session() as session:
            is_held = bool((await session.execute(select(func.pg_try_advisory_lock(key)))).scalar_one())
            try:
                yield is_held
            finally:
                if is_held:
                    await session.execute(select(func.pg_advisory_unlock(key)))

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncConnection]:
        """Take a session of the pool. One that is left by an error ends, and so frees what it holds or waits for."""
        async with self._engine.connect() as session:
            try:
                yield session
            except BaseException:
                await session.invalidate()
                raise


class FileLocks:
    """Locked files beside a database, one for each name. They stay, because deleting one could split its waiters."""

    def __init__(self, database: Path) -> None:
        self._database = database

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock of that name; yields whether it had to be waited for."""
        with self._opened(name) as file:
            waited = False
            while not _take(file):
                waited = True
                await asyncio.sleep(POLL_S)
            yield waited

    @asynccontextmanager
    async def held_if_free(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock of that name unless somebody else does; yields whether it is held."""
        with self._opened(name) as file:
            yield _take(file)

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        """Open the lock's file; the lock goes when it is closed."""
        path = f"{self._database}.lock-{lock_key(name) % 2**64:016x}"
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield file
        finally:
            os.close(file)


def lock_key(name: str) -> int:
    """Return the name's FNV-1a hash, the same in every process, as the signed 64 bits that PostgreSQL takes."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value - 2**64 if value >= 2**63 else value


def _take(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
