"""Real databases for the tests: SQLite files, and a PostgreSQL server that the tests start themselves."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from sim.live.registry.embedded_postgres import embedded_postgres
from tests.live.registry.registry_arms import Story, tell_on_sql, tell_simulated

SERVER_URL_VARIABLE = "SIM_TEST_POSTGRES_URL"
"""Names a server of one's own to use instead; its user must be allowed to create databases."""

DATABASES = ["sqlite", "postgresql"]

PICK_MODES = ["read_committed", "locked", "serial"]

ARMS = [
    *(("simulated", mode) for mode in PICK_MODES),
    ("sqlite", "read_committed"),
    ("postgresql", "read_committed"),
    # What else is asked of the modes of picks is in tests of their own.
    *(pytest.param(("postgresql", mode), marks=pytest.mark.long) for mode in ("locked", "serial")),
]
"""Kinds of registries, and how picks are made on them."""

NewDatabase = Callable[[], str]
Tell = Callable[[Story], None]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the URL of a running server; a server that does not start fails the tests that need it."""
    if url := os.environ.get(SERVER_URL_VARIABLE):
        yield url
        return
    with embedded_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def new_postgres_database(postgres_server: str) -> Iterator[NewDatabase]:
    """Give a function that makes an empty database of its own, which is dropped at the end."""
    made: list[str] = []

    def make() -> str:
        # Of its own, because several test processes may share a server.
        made.append(f"sim_test_{uuid4().hex}")
        asyncio.run(_administer(postgres_server, f'CREATE DATABASE "{made[-1]}"'))
        return make_url(postgres_server).set(database=made[-1]).render_as_string(hide_password=False)

    yield make
    for name in made:
        asyncio.run(_administer(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def postgres_url(new_postgres_database: NewDatabase) -> str:
    """Give the URL of the database that tests share; each empties the tables first."""
    return new_postgres_database()


@pytest.fixture(params=ARMS, ids=" ".join)
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Tell:
    """Give a function that tells a story on each kind of registry in turn, simulated and real."""
    kind, mode = request.param
    if kind == "simulated":
        return lambda story: tell_simulated(mode, story)
    url = _sqlite_url(tmp_path) if kind == "sqlite" else request.getfixturevalue("postgres_url")
    return lambda story: asyncio.run(tell_on_sql(url, mode, story))


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of each kind of database in turn."""
    if request.param == "sqlite":
        return _sqlite_url(tmp_path)
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of each kind of database in turn, without tables."""
    if request.param == "sqlite":
        return _sqlite_url(tmp_path)
    make: NewDatabase = request.getfixturevalue("new_postgres_database")
    return make()


def _sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'registry.db'}"


async def _administer(server_url: str, statement: str) -> None:
    url = make_url(server_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
