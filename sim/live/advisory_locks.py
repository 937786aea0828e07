"""Locks by name that exclude across processes and never outlive their holder.

On PostgreSQL, an advisory lock of a session of its own: the server frees it when the connection ends, whatever became
of the process. Beside SQLite, `flock` on a file next to the database: the system frees it with the process.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

POLL_S = 0.005
"""How often a waiter looks whether a file's lock is free; on its loop, so nothing else stands still."""


class AdvisoryLocks(Protocol):
    """Where locks of a name are held."""

    def held(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Hold the lock of that name; yields whether it had to be waited for. A waiter may be cancelled."""


class QueuedLocks:
    """Locks whose waiters of this process queue here, first come, first served, so that one at most waits outside.

    Processes take turns among themselves as the outer lock has it.
    """

    def __init__(self, outer: AdvisoryLocks) -> None:
        self._outer = outer
        self._queues: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock of that name; yields whether it had to be waited for."""
        queue = self._queues.setdefault(name, asyncio.Lock())
        queued = queue.locked()
        async with queue, self._outer.held(name) as waited:
            yield queued or waited


class PostgresLocks:
    """Advisory locks of the server, each on a connection opened for it: the engine must not pool, but autocommit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock of that name; yields whether it had to be waited for."""
        key = lock_key(name)
        # Whoever is cancelled below has the connection closed, and with it whatever the session holds or waits for.
        async with self._engine.connect() as session:
            waited = not (await session.execute(select(func.pg_try_advisory_lock(key)))).scalar_one()
            if waited:
                await session.execute(select(func.pg_advisory_lock(key)))
            try:
                yield waited
            finally:
                await session.execute(select(func.pg_advisory_unlock(key)))


class FileLocks:
    """Locked files beside a database, one for each name; they stay, since deleting one could split its waiters."""

    def __init__(self, database: Path) -> None:
        self._database = database

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock of that name; yields whether it had to be waited for."""
        path = f"{self._database}.lock-{lock_key(name) % 2**64:016x}"
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        waited = False
        try:
            while not _take(file):
                waited = True
                await asyncio.sleep(POLL_S)
            yield waited
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
