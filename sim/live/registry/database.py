"""The database behind the registry: SQLite in a file, or a PostgreSQL server, told apart by their URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, func, inspect, make_url, select
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateColumn

from sim.live.registry.advisory_locks import AdvisoryLocks, FileLocks, PostgresLocks, QueuedLocks, lock_key
from sim.live.registry.tables import metadata

POSTGRES_CONNECTIONS = 20
"""Number of transactions that one frontend has open at once by default."""

BUSY_TIMEOUT_S = 30
"""How long a transaction on SQLite waits for those of other processes."""

SYNCHRONOUS = ("normal", "off")
"""Whether SQLite waits for the disk: now and then, so that a power cut loses the last few rows, or never."""

SCHEMA = "schema"
"""The lock under which tables are created and completed."""


@dataclass(frozen=True)
class SqlDatabase:
    """An open database, with the tables in it."""

    engine: AsyncEngine
    locks: AdvisoryLocks

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name


@asynccontextmanager
async def open_database(url: str, connections: int | None = None) -> AsyncIterator[SqlDatabase]:
    """Open the database of that URL with the registry's tables. Several processes may do so at once.

    Missing tables are created, and so are columns that an older version did not have, with NULL in every row.

    `sqlite:///registry.db` (a relative path; four slashes for an absolute one) or `postgresql://user@host/database`.
    With `?synchronous=off`, SQLite never waits for the disk, and a power cut may spoil the file.
    At most `connections` transactions are open at a time; on SQLite that is 1, since a second one could only wait for
    the first. Raises BadRegistryUrl for any other URL.
    """
    parsed = _parse(url)
    opened = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgres(parsed, connections)
    async with opened as database:
        yield database


class BadRegistryUrl(ValueError):
    """The URL names no database that can hold a registry."""


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadRegistryUrl(
            f"registry URL {url!r}: must be like sqlite:///registry.db or postgresql://user@host/db"
        ) from None
    kind = parsed.drivername.partition("+")[0]
    if kind not in ("sqlite", "postgresql", "postgres"):
        raise BadRegistryUrl(f"registry URL {parsed.render_as_string()!r}: {kind} is neither sqlite nor postgresql")
    if kind == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise BadRegistryUrl(f"registry URL {url!r}: needs a file, which the frontends can share")
        if _synchronous(parsed) not in SYNCHRONOUS:
            raise BadRegistryUrl(f"registry URL {url!r}: synchronous must be {' or '.join(SYNCHRONOUS)}")
        return parsed.set(drivername="sqlite+aiosqlite")
    if "sslmode" in parsed.query:
        # The driver's name for an option of libpq's URLs.
        parsed = parsed.update_query_dict({"ssl": parsed.query["sslmode"]}).difference_update_query(["sslmode"])
    return parsed.set(drivername="postgresql+asyncpg")


def _synchronous(url: URL) -> str:
    return str(url.query.get("synchronous", SYNCHRONOUS[0]))


@asynccontextmanager
async def _postgres(url: URL, connections: int | None) -> AsyncIterator[SqlDatabase]:
    engine = create_async_engine(
        url,
        pool_size=connections or POSTGRES_CONNECTIONS,
        max_overflow=0,
        # Set explicitly, because a server may have another default, and herding depends on it.
        isolation_level="READ COMMITTED",
    )
    # Each name has one waiter or holder at a time, and names are few.
    lock_engine = create_async_engine(url, max_overflow=-1, isolation_level="AUTOCOMMIT")
    try:
        async with engine.begin() as connection:
            # `CREATE TABLE IF NOT EXISTS` fails when two sessions run it at once.
            await connection.execute(select(func.pg_advisory_xact_lock(lock_key(SCHEMA))))
            await connection.run_sync(_complete_tables)
        yield SqlDatabase(engine, QueuedLocks(PostgresLocks(lock_engine)))
    finally:
        await engine.dispose()
        await lock_engine.dispose()


@asynccontextmanager
async def _sqlite(url: URL) -> AsyncIterator[SqlDatabase]:
    locks = QueuedLocks(FileLocks(Path(str(url.database)).absolute()))
    engine = create_async_engine(
        url.difference_update_query(["synchronous"]),
        pool_size=1,
        max_overflow=0,
        connect_args={"timeout": BUSY_TIMEOUT_S},
    )
    event.listen(engine.sync_engine, "connect", partial(_prepare_sqlite, _synchronous(url)))
    event.listen(engine.sync_engine, "begin", _begin_as_writer)
    try:
        # The lock is also needed because SQLite does not wait for others while it changes the journal mode.
        async with locks.held(SCHEMA), engine.begin() as connection:
            await connection.run_sync(_complete_tables)
        yield SqlDatabase(engine, locks)
    finally:
        await engine.dispose()


def _complete_tables(connection: Connection) -> None:
    metadata.create_all(connection)
    there = inspect(connection).get_multi_columns()
    for table in metadata.sorted_tables:
        names = {column["name"] for column in there[None, table.name]}
        for column in table.columns:
            if column.name not in names:
                definition = CreateColumn(column).compile(connection)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")


def _prepare_sqlite(synchronous: str, connection: Any, _: Any) -> None:
    # Leaves BEGIN to `_begin_as_writer`.
    connection.isolation_level = None
    cursor = connection.cursor()
    # The mode is kept in the file, so this writes only the first time.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA synchronous = {synchronous}")
    cursor.close()


def _begin_as_writer(connection: Connection) -> None:
    # A transaction that begins as a reader cannot wait to become a writer. It fails at once when another one writes.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
