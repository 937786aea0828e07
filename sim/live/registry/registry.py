"""The registry port on a SQL database."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Table, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sim.live.registry.database import SqlDatabase
from sim.live.registry.picks import ELIGIBLE_ROWS, SqlPickMode
from sim.live.registry.tables import (
    REPLICA_COLUMNS,
    StoredRow,
    backend_nodes,
    metadata,
    model_config_states,
    model_load_infos,
    node_models,
    stored_row,
)
from sim.live.registry.transactions import AnsweredLock, LiveRuntime, Transactions
from sim.routing.errors import Unavailable
from sim.routing.fleet import RowState, require_current
from sim.routing.policies.choose import Choose
from sim.routing.registry import LockWaited, RowChange
from sim.routing.replica import Replica, ReplicaKey

_rows, _nodes, _states = node_models.c, backend_nodes.c, model_config_states.c
_log = logging.getLogger(__name__)


class SqlRegistry:
    """The shared table of replicas; every frontend has a registry of its own on the same database.

    If a caller leaves, its transaction is rolled back, or its count is given back if the transaction has committed: no
    cancellation leaves a count, a lock or a connection behind. If the database does not answer, the call raises
    Unavailable.
    """

    def __init__(
        self, database: SqlDatabase, runtime: LiveRuntime, pick_mode: SqlPickMode, lock_waited: LockWaited
    ) -> None:
        self.floor_hits = 0
        """Decrements that found their row at 0."""
        self._database = database
        self._runtime = runtime
        self._pick_mode = pick_mode
        self._lock_waited = lock_waited
        self._transactions = Transactions(database.engine, runtime)

    @property
    def transactions(self) -> int:
        """Number of transactions begun, including waits for a lock by name."""
        return self._transactions.count

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for statements of one's own."""
        return self._database.engine

    async def pick(self, model: str, choose: Choose) -> Replica | None:
        """Choose a row and count the request on it, as the pick mode has it."""

        async def work(connection: AsyncConnection) -> Replica | None:
            replica = await self._pick_mode.pick(connection, model, choose, self._runtime)
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
        """Subtract 1 `count` times, but not below 0 and not from a row that is gone. The caller does not wait."""
        self._unattended(self._give_back(key, count), f"a count of {key}")

    async def decrement(self, key: ReplicaKey, count: int) -> None:
        """Give back, and wait for it. Only the failure of the first is raised, and then the others are not tried."""
        await asyncio.shield(self._transactions.start(self._give_back(key, count), f"decrement {key}"))

    async def touch(self, key: ReplicaKey) -> None:
        """Set the row's last use to now."""

        async def work(connection: AsyncConnection) -> None:
            now_ns = self._runtime.wall_ns()
            await connection.execute(update(node_models).where(_is(key)).values(last_used=now_ns, updated_at=now_ns))

        await self._transactions.run(work)

    async def exchange(self, model: str, changes: Mapping[str, RowChange]) -> Sequence[Replica]:
        """Change the rows and read the model's rows that may be picked."""

        async def work(connection: AsyncConnection) -> list[Replica]:
            # Locked in the order of their ids, so that two exchanges never wait for each other.
            locked = select(_rows.id, _rows.in_flight).where(_rows.model_name == model, _rows.id.in_(changes))
            for row in (await connection.execute(locked.order_by(_rows.id).with_for_update())).all():
                await self._change(connection, row.id, row.in_flight, changes[row.id])
            listed = await connection.execute(ELIGIBLE_ROWS.order_by(_rows.id), {"model": model})
            return [stored_row(columns).as_read() for columns in listed]

        return await self._transactions.run(work)

    async def publish(
        self, key: ReplicaKey, address: str, in_flight: int, state: RowState = RowState.LOADED, revision: str = ""
    ) -> None:
        """Write the row, unless its revision is stale. The way to load the model is stored with it.

        It replaces any row of the same key, and has a new id.
        """

        async def work(connection: AsyncConnection) -> None:
            now_ns = self._runtime.wall_ns()
            row = {
                "id": str(uuid4()),
                "address": address,
                "state": state,
                "in_flight": in_flight,
                "last_used": now_ns,
                "updated_at": now_ns,
                "revision": revision,
            }
            # A transaction that advances the revision waits for this row and overtakes it. Only the first revision has
            # nothing to wait for, and a row that it misses is never picked.
            current = select(_states.revision).where(_states.model == key.model).with_for_update(read=True)
            require_current(key, revision, (await connection.execute(current)).scalar() or "")
            # A pick that waits for the old row must find it gone, as it would a row that was reaped and loaded again.
            await connection.execute(delete(node_models).where(_is(key)))
            # If two publish at once and neither finds a row to delete, the later one replaces the other's.
            names = {"node_id": key.node, "model_name": key.model, "replica_index": key.replica_index}
            insert = self._insert(node_models).values(names | row)
            await connection.execute(insert.on_conflict_do_update(index_elements=list(names), set_=row))
            await connection.execute(self._insert(model_load_infos).values(model=key.model).on_conflict_do_nothing())

        await self._transactions.run(work, lambda _: self.give_back(key, in_flight))

    async def remove(self, key: ReplicaKey) -> bool:
        """Delete the row; False if it had gone already."""

        async def work(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(delete(node_models).where(_is(key)))).rowcount)

        return await self._transactions.run(work)

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Return the advisory lock of that name, to be held with `async with`; it excludes across processes."""
        return self._held(name)

    async def reset(self) -> None:
        """Empty the tables for the start of a run."""

        async def work(connection: AsyncConnection) -> None:
            # Nodes come last, because every transaction locks rows before nodes.
            for table in sorted(metadata.sorted_tables, key=lambda table: table is backend_nodes):
                await connection.execute(delete(table))

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
        """Wait until every running transaction has ended, within a limit."""
        await self._transactions.drain()

    @asynccontextmanager
    async def _held(self, name: str) -> AsyncIterator[None]:
        self._transactions.count += 1
        began_ns = self._runtime.now_ns()
        async with AnsweredLock(self._database.locks.held(name)) as waited:
            if waited:
                self._lock_waited(self._runtime.now_ns() - began_ns)
            yield

    def _unattended(self, call: Coroutine[Any, Any, Any], what: str) -> None:
        """Start a call that takes something back. The caller does not wait."""
        self._transactions.start(self._taken_back(call, what), f"take back {what}")

    async def _taken_back(self, call: Coroutine[Any, Any, Any], what: str) -> None:
        try:
            await call
        except Unavailable as error:
            # Nobody waits for the answer, so the failure is logged for an operator.
            _log.warning("%s was not taken back: %s", what, error)

    async def _give_back(self, key: ReplicaKey, count: int) -> None:
        for number in range(count):
            decrement = self._transactions.run(lambda connection: self._decrement(connection, key))
            await (self._taken_back(decrement, f"a count of {key}") if number else decrement)

    async def _decrement(self, connection: AsyncConnection, key: ReplicaKey) -> None:
        # This is no use of the row, so its times stay.
        taken = update(node_models).where(_is(key), _rows.in_flight > 0).values(in_flight=_rows.in_flight - 1)
        if (await connection.execute(taken)).rowcount:
            return
        at_the_floor = select(_rows.id).where(_is(key), _rows.in_flight.is_not(None))
        if (await connection.execute(at_the_floor)).first() is not None:
            self.floor_hits += 1

    async def _change(self, connection: AsyncConnection, row_id: str, in_flight: int | None, change: RowChange) -> None:
        """Write what has changed of a locked row; a count that is NULL stays so."""
        total = None if in_flight is None else in_flight + change.added
        values: dict[str, int | None] = {"in_flight": None if total is None else max(0, total)}
        if change.is_used:
            values["last_used"] = values["updated_at"] = self._runtime.wall_ns()
        await connection.execute(update(node_models).where(_rows.id == row_id).values(values))
        self.floor_hits += max(0, -(total or 0))

    def _insert(self, table: Table) -> Any:
        # Both dialects have the same clause, but each has its own class for it.
        return {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[self._database.dialect](table)


def _is(key: ReplicaKey) -> ColumnElement[bool]:
    return and_(_rows.node_id == key.node, _rows.model_name == key.model, _rows.replica_index == key.replica_index)
