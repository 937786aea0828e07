"""What SQL picks is what the choice takes of the rows listed by id: NULLs, equal times, full ties, nodes, any rule."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from sim.live.registry.connection import connect
from sim.live.registry.registry import SqlRegistry
from sim.live.registry.tables import backend_nodes, node_models
from sim.live.runtime import AsyncioRuntime
from sim.routing.fleet import NodeStatus, RowState
from sim.routing.policies.best_replica import ChooseBest
from sim.routing.policies.choose import Choose
from sim.routing.replica import NULL, Replica, ReplicaKey
from tests.choices import BEST, Prefer

MODEL = "m"
# Two small numbers and NULL make ties of every kind likely; the extremes show where NULL is sorted.
NUMBERS = st.sampled_from([0, 1, None]) | st.integers(-NULL, NULL - 1)
IN_FLIGHT = st.sampled_from([0, 1, None, NULL - 1, -NULL])
NODE_VRAM = st.lists(NUMBERS, min_size=1, max_size=3)
ROWS = st.lists(
    st.tuples(
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=3), IN_FLIGHT, NUMBERS
    ),
    max_size=6,
    unique_by=lambda row: row[0],
)
NODES = st.lists(st.sampled_from(["n0", "n1", "n2"]), max_size=2, unique=True)
KEYS = st.builds(ReplicaKey, st.sampled_from(["n0", "n1"]), st.just(MODEL), st.integers(0, 3))
CHOICES = st.builds(ChooseBest, NODES) | st.builds(Prefer, KEYS, NODES)
Numbers = tuple[str, int | None, int | None]


class OpenDatabase:
    """A registry that stays open from one example to the next."""

    def __init__(self, runner: asyncio.Runner, registry: SqlRegistry) -> None:
        self._runner = runner
        self._registry = registry

    def winners(
        self, vram: list[int | None], rows: list[Numbers], choose: Choose
    ) -> tuple[Replica | None, Replica | None]:
        """Return whom SQL picks and whom the function picks."""
        return self._runner.run(self._winners(vram, rows, choose))

    async def _winners(
        self, vram: list[int | None], rows: list[Numbers], choose: Choose
    ) -> tuple[Replica | None, Replica | None]:
        await self._registry.reset()
        await self._write(vram, rows)
        stored = {row.id: row for row in await self._registry.rows()}
        listed_by_id = [stored[row_id].as_read() for row_id in sorted(stored)]

        best = choose([row for row in listed_by_id if not choose.nodes or row.key.node in choose.nodes])
        return await self._registry.pick(MODEL, choose), None if best is None else stored[best.id].as_read()

    async def _write(self, vram: list[int | None], rows: list[Numbers]) -> None:
        nodes = [
            {"id": f"n{i}", "status": NodeStatus.HEALTHY, "slots": 9, "available_vram": bytes_}
            for i, bytes_ in enumerate(vram)
        ]
        replicas = [
            {
                "id": row_id,
                "node_id": f"n{i % len(vram)}",
                "model_name": MODEL,
                "replica_index": i,
                "address": f"a{i}",
                "state": RowState.LOADED,
                "in_flight": in_flight,
                "last_used": last_used,
            }
            for i, (row_id, in_flight, last_used) in enumerate(rows)
        ]
        async with self._registry.engine.begin() as connection:
            await connection.execute(insert(backend_nodes), nodes)
            if replicas:
                await connection.execute(insert(node_models), replicas)


@pytest.fixture
def database(database_url: str) -> Iterator[OpenDatabase]:
    async def open_registry(stack: AsyncExitStack) -> SqlRegistry:
        return await stack.enter_async_context(connect(database_url, AsyncioRuntime()))

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield OpenDatabase(runner, runner.run(open_registry(stack)))
        runner.run(stack.aclose())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NODE_VRAM, ROWS, CHOICES)
@example([1, 1, 1], [("b", 0, 5), ("a", 0, 5), ("c", 0, 5)], BEST)
@example([1, 1, 1], [("a", None, 5), ("b", 9, 5)], BEST)
@example([1, 1, 1], [("a", 0, None), ("b", 0, NULL - 1)], BEST)
@example([80 * 10**9, None, 0], [("a", 0, 5), ("b", 0, 5), ("c", 0, 5)], BEST)
@example([None], [("é", None, None), ("z", None, None), ("Z", None, None), ("a-b", None, None)], BEST)
@example([1, 1], [("a", 0, 5), ("b", None, 5)], Prefer(ReplicaKey("n1", MODEL, 1)))
@example([1, 1], [("a", 0, 5), ("b", 9, 5)], Prefer(ReplicaKey("n0", MODEL, 0), ["n1"]))
def test_sql_and_the_function_pick_the_same_row(
    database: OpenDatabase, vram: list[int | None], rows: list[Numbers], choose: Choose
) -> None:
    in_sql, in_python = database.winners(vram, rows, choose)

    assert in_sql == in_python
