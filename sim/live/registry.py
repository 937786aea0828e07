"""The registry port on a SQL database."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

from asyncpg import InterfaceError, PostgresError  # type: ignore[import-untyped]
from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sim.live.database import Database, open_database
from sim.live.picks import FaithfulPick, LockWaited, PickMode, ignore_wait, pick_mode
from sim.live.tables import (
    HEALTHY,
    LOADED,
    NODE_COLUMNS,
    REPLICA_COLUMNS,
    StoredRow,
    backend_nodes,
    node_models,
    node_views,
    stored_row,
)
from sim.live.transactions import LiveRuntime, Transactions
from sim.routing.errors import Unavailable
from sim.routing.ports import NodeView
from sim.routing.replica import Replica, ReplicaKey

_rows, _nodes = node_models.c, backend_nodes.c
_log = logging.getLogger(__name__)


@asynccontextmanager
async def connect(
    url: str,
    runtime: LiveRuntime,
    *,
    pick: str = "read_committed",
    connections: int | None = None,
    lock_waited: LockWaited = ignore_wait,
    new_pick: Callable[[], PickMode] = FaithfulPick,
) -> AsyncIterator["SqlRegistry"]:
    """Open one frontend's registry; on leaving, what is under way is finished and the connections are closed.

    `url` and `connections` are those of `open_database`, `pick` is a scenario's word. `lock_waited` is told the ns
    waited for locks by name and for a model's lock; the wait for a row is part of its statement and cannot be told.
    Raises BadRegistryUrl for a URL of no use, and Unavailable if there is no such database or it does not answer.
    """
    async with _reached(url, connections) as database:
        registry = SqlRegistry(database, runtime, pick_mode(pick, database.dialect, lock_waited, new_pick), lock_waited)
        try:
            yield registry
        finally:
            await registry.drain()


@asynccontextmanager
async def _reached(url: str, connections: int | None) -> AsyncIterator[Database]:
    async with AsyncExitStack() as stack:
        try:
            database = await stack.enter_async_context(open_database(url, connections))
        except (OSError, SQLAlchemyError, PostgresError, InterfaceError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise Unavailable(f"the registry cannot be opened: {reason}") from error
        yield database


class SqlRegistry:
    """The shared table of replicas; every frontend has a registry of its own on the same database.

    A caller that leaves has its transaction rolled back if it is not committed by then, and what it counted given back
    if it is: no cancellation leaves a count, a lock or a connection behind. Whatever keeps the database from answering
    is raised as Unavailable.
    """

    def __init__(self, database: Database, runtime: LiveRuntime, pick_mode: PickMode, lock_waited: LockWaited) -> None:
        self.floor_hits = 0
        """Decrements that found their row at 0."""
        self.missing_rows = 0
        """Decrements whose row had gone."""
        self.failed_returns = 0
        """Decrements that the database did not answer; their counts stay in the rows."""
        self._database = database
        self._runtime = runtime
        self._pick_mode = pick_mode
        self._lock_waited = lock_waited
        self._transactions = Transactions(database.engine, runtime)

    @property
    def transactions(self) -> int:
        """How many transactions were begun, waits for a lock by name included."""
        return self._transactions.count

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for statements of one's own."""
        return self._database.engine

    async def pick(self, model: str) -> Replica | None:
        """Choose a row and count the request on it, as the pick mode has it."""

        async def work(connection: AsyncConnection) -> Replica | None:
            replica = await self._pick_mode.pick(connection, model, self._runtime)
            if replica is None:
                await connection.rollback()
            return replica

        def undo(replica: Replica | None) -> None:
            if replica is not None:
                self.give_back(replica.key, 1)

        return await self._transactions.run(work, undo)

    async def increment(self, key: ReplicaKey) -> bool:
        """Add 1 and touch the row; False if there is none."""

        async def work(connection: AsyncConnection) -> bool:
            now_ns = self._runtime.wall_ns()
            counted = update(node_models).values(in_flight=_rows.in_flight + 1, last_used=now_ns, updated_at=now_ns)
            return bool((await connection.execute(counted.where(_is(key)))).rowcount)

        def undo(counted: bool) -> None:
            if counted:
                self.give_back(key, 1)

        return await self._transactions.run(work, undo)

    def give_back(self, key: ReplicaKey, count: int) -> None:
        """Take 1, `count` times in a row, each time unless the row has gone or stands at 0; the caller goes on."""
        self._transactions.start(self._give_back(key, count), f"give back {key}")

    async def touch(self, key: ReplicaKey) -> None:
        """Set the row's last use to now."""

        async def work(connection: AsyncConnection) -> None:
            now_ns = self._runtime.wall_ns()
            await connection.execute(update(node_models).where(_is(key)).values(last_used=now_ns, updated_at=now_ns))

        await self._transactions.run(work)

    async def publish(self, key: ReplicaKey, address: str, in_flight: int) -> None:
        """Write the row as loaded, with this count, in place of any row of the same key; it has an id of its own."""

        async def work(connection: AsyncConnection) -> None:
            now_ns = self._runtime.wall_ns()
            row = {
                "id": str(uuid4()),
                "address": address,
                "state": LOADED,
                "in_flight": in_flight,
                "last_used": now_ns,
                "updated_at": now_ns,
            }
            # A pick that waits for the old row must find it gone, as it would a row that was reaped and loaded again.
            await connection.execute(delete(node_models).where(_is(key)))
            # Of two that publish at once, each having found nothing to delete, the later one replaces the other's.
            names = {"node_id": key.node, "model_name": key.model, "replica_index": key.replica_index}
            insert = self._insert(node_models).values(names | row)
            await connection.execute(insert.on_conflict_do_update(index_elements=list(names), set_=row))

        await self._transactions.run(work, lambda _: self.give_back(key, in_flight))

    async def remove(self, key: ReplicaKey) -> bool:
        """Delete the row; False if it had gone already."""

        async def work(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(delete(node_models).where(_is(key)))).rowcount)

        return await self._transactions.run(work)

    async def nodes(self, model: str) -> Sequence[NodeView]:
        """List the healthy nodes, by name, as placement of the model sees them."""

        async def work(connection: AsyncConnection) -> Sequence[NodeView]:
            each = select(*NODE_COLUMNS).join_from(backend_nodes, node_models, _rows.node_id == _nodes.id, isouter=True)
            selected = await connection.execute(each.where(_nodes.status == HEALTHY).order_by(_nodes.id))
            return list(node_views(selected, model))

        return await self._transactions.run(work)

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Return the advisory lock of that name, to be held with `async with`; it excludes across processes."""
        return self._held(name)

    async def register_node(self, name: str, slots: int, available_vram_bytes: int) -> None:
        """Write the node as healthy, in place of what is known of it."""

        async def work(connection: AsyncConnection) -> None:
            row = {
                "status": HEALTHY,
                "slots": slots,
                "available_vram": available_vram_bytes,
                "updated_at": self._runtime.wall_ns(),
            }
            insert = self._insert(backend_nodes).values({"id": name} | row)
            await connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=row))

        await self._transactions.run(work)

    async def report_vram(self, node: str, available_bytes: int) -> None:
        """Take over what a node reports as its free VRAM; waits for picks that hold the node's row."""

        async def work(connection: AsyncConnection) -> None:
            reported = {"available_vram": available_bytes, "updated_at": self._runtime.wall_ns()}
            await connection.execute(update(backend_nodes).where(_nodes.id == node).values(reported))

        await self._transactions.run(work)

    async def reset(self) -> None:
        """Empty the tables, as a run needs them at its start."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(node_models))
            await connection.execute(delete(backend_nodes))

        await self._transactions.run(work)

    async def total_in_flight(self) -> int:
        """Return the sum of the stored counts."""

        async def work(connection: AsyncConnection) -> int:
            return int((await connection.execute(select(func.sum(_rows.in_flight)))).scalar_one() or 0)

        return await self._transactions.run(work)

    async def rows(self) -> list[StoredRow]:
        """Return every replica's row, by id, for inspection."""

        async def work(connection: AsyncConnection) -> list[StoredRow]:
            each = select(*REPLICA_COLUMNS).join_from(
                node_models, backend_nodes, _rows.node_id == _nodes.id, isouter=True
            )
            return [stored_row(columns) for columns in await connection.execute(each.order_by(_rows.id))]

        return await self._transactions.run(work)

    async def drain(self) -> None:
        """Wait until everything under way is committed or has failed, as long as that makes sense."""
        await self._transactions.drain()

    @asynccontextmanager
    async def _held(self, name: str) -> AsyncIterator[None]:
        self._transactions.count += 1
        began_ns = self._runtime.now_ns()
        async with self._database.locks.held(name) as waited:
            if waited:
                self._lock_waited(self._runtime.now_ns() - began_ns)
            yield

    async def _give_back(self, key: ReplicaKey, count: int) -> None:
        for _ in range(count):
            try:
                await self._transactions.run(lambda connection: self._decrement(connection, key))
            except Unavailable as error:
                # Nobody waits for the answer; the count that stays behind is told where an operator looks.
                self.failed_returns += 1
                _log.warning("a count of %s was not given back: %s", key, error)

    async def _decrement(self, connection: AsyncConnection, key: ReplicaKey) -> None:
        values = {"in_flight": _rows.in_flight - 1, "updated_at": self._runtime.wall_ns()}
        taken = update(node_models).where(_is(key), _rows.in_flight > 0).values(values)
        if (await connection.execute(taken)).rowcount:
            return
        if (await connection.execute(select(_rows.id).where(_is(key)))).first() is None:
            self.missing_rows += 1
        else:
            self.floor_hits += 1

    def _insert(self, table: Any) -> Any:
        # The two dialects spell the clause alike, but each has a class of its own for it.
        return {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[self._database.dialect](table)


def _is(key: ReplicaKey) -> ColumnElement[bool]:
    return and_(_rows.node_id == key.node, _rows.model_name == key.model, _rows.replica_index == key.replica_index)
