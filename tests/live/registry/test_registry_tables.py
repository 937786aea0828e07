"""The tables that a registry makes, and what it makes of those that an older version has left."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import MetaData, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from sim.live.registry.connection import connect
from sim.live.registry.load_jobs import SqlLoadJobs
from sim.live.registry.tables import metadata
from sim.live.runtime import AsyncioRuntime
from sim.routing.fleet import Fleet, Node, NodeFacts, NodeStatus, ReplicaRow, RowState
from sim.routing.policies.best_replica import ChooseBest
from sim.routing.replica import ReplicaKey

KEY = ReplicaKey("n0", "m", 0)

# What `sim live` made before there was a control plane.
FIRST_VERSION = [
    """CREATE TABLE backend_nodes (
        id TEXT NOT NULL PRIMARY KEY, status TEXT NOT NULL, slots INTEGER NOT NULL,
        available_vram BIGINT, updated_at BIGINT)""",
    """CREATE TABLE node_models (
        id TEXT NOT NULL PRIMARY KEY, node_id TEXT NOT NULL, model_name TEXT NOT NULL, replica_index INTEGER NOT NULL,
        address TEXT NOT NULL, state TEXT NOT NULL, in_flight BIGINT, last_used BIGINT, updated_at BIGINT)""",
    """CREATE UNIQUE INDEX node_models_one_row_per_replica ON node_models (node_id, model_name, replica_index)""",
    """INSERT INTO backend_nodes VALUES ('n0', 'healthy', 2, 8, 7)""",
    """INSERT INTO node_models VALUES ('row', 'n0', 'm', 0, 'n0:1', 'loaded', 3, 5, 6)""",
]


class Layout(NamedTuple):
    """What there is in a database."""

    columns: Mapping[str, Sequence[str]]
    """Of each table."""
    unique: Sequence[Sequence[str]]
    """Columns of the unique indexes of `node_models`."""


async def layout(registry: SqlLoadJobs) -> Layout:
    def look(connection: Any) -> Layout:
        tables = MetaData()
        tables.reflect(connection)
        indexes = inspect(connection).get_indexes("node_models")
        return Layout(
            {name: sorted(table.columns.keys()) for name, table in tables.tables.items()},
            [index["column_names"] for index in indexes if index["unique"]],
        )

    async with registry.engine.connect() as connection:
        return await connection.run_sync(look)


async def make(url: str, statements: Sequence[str]) -> None:
    engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:").replace("sql:", "sql+asyncpg:"))
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


def tell(url: str, *stories: Callable[[SqlLoadJobs], Awaitable[Any]]) -> list[Any]:
    """Tell each story on a connection of its own, one after the other, and return what they return."""

    async def tell_all() -> list[Any]:
        told = []
        for story in stories:
            async with connect(url, AsyncioRuntime()) as registry:
                told.append(await story(registry))
        return told

    return asyncio.run(tell_all())


def test_connecting_makes_the_tables_and_their_unique_index(empty_database_url: str) -> None:
    [made] = tell(empty_database_url, layout)

    assert made.columns == {table.name: sorted(table.columns.keys()) for table in metadata.sorted_tables}
    assert sorted(made.columns) == [
        "backend_nodes",
        "load_jobs",
        "model_config_states",
        "model_cooldowns",
        "model_load_infos",
        "node_models",
        "passes",
    ]
    assert made.unique == [["node_id", "model_name", "replica_index"]]


def test_the_tables_of_the_first_version_get_what_they_lack(empty_database_url: str) -> None:
    asyncio.run(make(empty_database_url, FIRST_VERSION))

    first, second = tell(empty_database_url, layout, layout)

    assert first.columns == {table.name: sorted(table.columns.keys()) for table in metadata.sorted_tables}
    assert second == first


def test_rows_of_the_first_version_read_as_silent_on_what_is_new(empty_database_url: str) -> None:
    asyncio.run(make(empty_database_url, FIRST_VERSION))

    [fleet] = tell(empty_database_url, lambda registry: registry.fleet())

    assert fleet == Fleet(
        nodes=[
            Node(
                name="n0",
                status=NodeStatus.HEALTHY,
                address="",
                slots=2,
                labels={},
                heartbeat_ns=0,
                available_vram_bytes=8,
                reserved_vram_bytes=0,
                total_disk_bytes=0,
                available_disk_bytes=0,
            )
        ],
        rows=[ReplicaRow("row", KEY, "n0:1", RowState.LOADED, 3, 5, 6)],
        loadable={},
        cooldowns={},
    )


def test_a_registry_of_the_first_version_can_be_used_as_any_other(empty_database_url: str) -> None:
    asyncio.run(make(empty_database_url, FIRST_VERSION))

    async def story(registry: SqlLoadJobs) -> tuple[bool, Sequence[ReplicaRow]]:
        replica = await registry.pick("m", ChooseBest(["n0"]))
        assert replica is not None
        assert (replica.key, replica.in_flight) == (KEY, 3)
        is_reserved = await registry.reserve_vram("n0", 8)
        return is_reserved, await registry.register_node(NodeFacts("n0"))

    [(is_reserved, removed)] = tell(empty_database_url, story)

    assert is_reserved
    assert [row.key for row in removed] == [KEY]
