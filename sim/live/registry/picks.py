"""How a replica is picked in SQL: one transaction that finds the best row, locks it and counts the request on it.

PostgreSQL orders the rows once, by what the statement saw when it began. A pick that finds its best row locked waits,
and then takes that row if it still passes the filter: the order is not looked at again. So picks that begin together
all take the same row. A lock taken by a statement of its own before that one makes each pick begin after the last
has ended, and a burst spreads evenly.

SQLite has one writer at a time, and its transactions start as writers here: picks are serial in either mode.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sim.live.registry.advisory_locks import lock_key
from sim.live.registry.tables import (
    REPLICA_COLUMNS,
    StoredRow,
    backend_nodes,
    model_config_states,
    node_models,
    stored_row,
)
from sim.routing.fleet import NodeStatus, RowState
from sim.routing.policies.best_replica import BEST_REPLICA
from sim.routing.policies.choose import Choose
from sim.routing.ports import Clock
from sim.routing.registry import LockWaited
from sim.routing.replica import Replica

_rows, _nodes, _states = node_models.c, backend_nodes.c, model_config_states.c

# NULLs are placed as PostgreSQL does by default, and by name, because SQLite does otherwise.
PICK_ORDER: Final = (
    _rows.in_flight.asc().nulls_last(),
    _rows.last_used.asc().nulls_last(),
    _nodes.available_vram.desc().nulls_first(),
    _rows.id.asc(),
)
"""`pick_best_replica` over rows listed by id, in SQL."""

_CURRENT_REVISION: Final = select(_states.revision).where(_states.model == bindparam("model")).scalar_subquery()

_revision = func.coalesce(_rows.revision, "")

ELIGIBLE_ROWS: Final[Select[Any]] = (
    select(*REPLICA_COLUMNS)
    .join(backend_nodes, _rows.node_id == _nodes.id)
    .where(_rows.model_name == bindparam("model"), _rows.state == RowState.LOADED, _nodes.status == NodeStatus.HEALTHY)
    # Where there is no current revision, any will do.
    .where(_revision == func.coalesce(_CURRENT_REVISION, _revision))
)
"""The rows that a pick of the model may choose, without the caller's conditions."""

ELIGIBLE_ROWS_ON_NODES: Final = ELIGIBLE_ROWS.where(_rows.node_id.in_(bindparam("nodes", expanding=True)))
"""The same, on some nodes only."""

ORDERS: Final[Mapping[str, Sequence[ColumnElement[Any]]]] = {BEST_REPLICA: PICK_ORDER}
"""The orders by which a database can choose, by the names that choices give them."""


@cache
def lock_first(order: str, on_nodes: bool) -> Select[Any]:
    """Return the statement that locks the first of the eligible rows in that order."""
    eligible = ELIGIBLE_ROWS_ON_NODES if on_nodes else ELIGIBLE_ROWS
    # No list of tables, so that the node's row is locked as well and all picks on the node exclude one another.
    return eligible.order_by(*ORDERS[order]).limit(1).with_for_update()


LOCK_ONE: Final = ELIGIBLE_ROWS.where(_rows.id == bindparam("row")).with_for_update()
"""Waits for a row and its node, and finds nothing if the row may not be picked any more."""

COUNT_PICK: Final = (
    update(node_models)
    .where(_rows.id == bindparam("row"))
    .values(in_flight=_rows.in_flight + 1, last_used=bindparam("now_ns"), updated_at=bindparam("now_ns"))
)

NODE_IF_HEALTHY: Final = select(_nodes.id).where(_nodes.id == bindparam("node"), _nodes.status == NodeStatus.HEALTHY)

TRY_LOCK: Final = select(func.pg_try_advisory_xact_lock(bindparam("key")))
LOCK: Final = select(func.pg_advisory_xact_lock(bindparam("key")))


def eligible_rows(choose: Choose) -> Select[Any]:
    """Return the statement that lists the rows that the choice is made from."""
    return ELIGIBLE_ROWS_ON_NODES if choose.nodes else ELIGIBLE_ROWS


def parameters(model: str, choose: Choose) -> dict[str, Any]:
    """Return what that statement is executed with."""
    return {"model": model, "nodes": list(choose.nodes)} if choose.nodes else {"model": model}


class SqlPickMode(Protocol):
    """One transaction that chooses a row and counts the request on it."""

    async def pick(self, connection: AsyncConnection, model: str, choose: Choose, clock: Clock) -> Replica | None:
        """Return the row as read, before the increment; on None, nothing may be committed."""


class SqlPick:
    """The scenarios' `read_committed`: choose and lock a row, then count the pick on it.

    Where the choice follows an order that SQL knows, that is `SELECT … ORDER BY … LIMIT 1 FOR UPDATE`; on PostgreSQL,
    waiters keep the order they began with. Any other choice is made here over the rows that one statement read, and
    made again over the rest if the chosen row has gone by the time it is locked.
    """

    async def pick(self, connection: AsyncConnection, model: str, choose: Choose, clock: Clock) -> Replica | None:
        """Lock the chosen row and its node, count the pick, and look whether the node is healthy still."""
        found = await self.lock_chosen(connection, model, choose)
        if found is None:
            return None
        row = stored_row(found)
        # Read after the row is locked, so that the wait for it is over.
        await connection.execute(COUNT_PICK, {"row": row.id, "now_ns": clock.wall_ns()})
        return row.as_read() if await self.is_on_healthy_node(connection, row) else None

    async def lock_chosen(self, connection: AsyncConnection, model: str, choose: Choose) -> Sequence[Any] | None:
        """Return the chosen row as REPLICA_COLUMNS, locked; None if there is none."""
        if choose.order in ORDERS:
            statement = lock_first(choose.order, bool(choose.nodes))
            found: Sequence[Any] | None = (await connection.execute(statement, parameters(model, choose))).first()
            return found
        listed = await connection.execute(eligible_rows(choose).order_by(_rows.id), parameters(model, choose))
        return await self.lock_one_of(connection, choose, [stored_row(row).as_read() for row in listed])

    async def lock_one_of(
        self, connection: AsyncConnection, choose: Choose, rows: Sequence[Replica]
    ) -> Sequence[Any] | None:
        """Choose among the rows until one can be locked; return it as REPLICA_COLUMNS."""
        left = list(rows)
        while (chosen := choose(left)) is not None:
            found = await self.lock_one(connection, chosen)
            if found is not None:
                return found
            left.remove(chosen)
        return None

    async def lock_one(self, connection: AsyncConnection, chosen: Replica) -> Sequence[Any] | None:
        """Return the row as REPLICA_COLUMNS once it is locked; None if it has gone by then."""
        found: Sequence[Any] | None = (
            await connection.execute(LOCK_ONE, {"model": chosen.key.model, "row": chosen.id})
        ).first()
        return found

    async def is_on_healthy_node(self, connection: AsyncConnection, row: StoredRow) -> bool:
        """Tell whether the locked row may be given away."""
        return (await connection.execute(NODE_IF_HEALTHY, {"node": row.key.node})).first() is not None


class SqlLockedPick:
    """The same pick behind a lock per model, on PostgreSQL."""

    def __init__(self, pick_mode: SqlPickMode, lock_waited: LockWaited) -> None:
        self._pick_mode = pick_mode
        self._lock_waited = lock_waited

    async def pick(self, connection: AsyncConnection, model: str, choose: Choose, clock: Clock) -> Replica | None:
        """Pick while nobody else picks for the model; the lock goes with the transaction."""
        key = {"key": lock_key(f"pick:{model}")}
        # An attempt never overtakes waiters. It only tells whether there is a wait.
        if not (await connection.execute(TRY_LOCK, key)).scalar_one():
            began_ns = clock.now_ns()
            await connection.execute(LOCK, key)
            self._lock_waited(clock.now_ns() - began_ns)
        return await self._pick_mode.pick(connection, model, choose, clock)


def ignore_wait(wait_ns: int, /) -> None:
    """Ignore a wait."""


def pick_mode(
    name: str, dialect: str, lock_waited: LockWaited, new_pick: Callable[[], SqlPickMode] = SqlPick
) -> SqlPickMode:
    """Return the mode of that name in a scenario: `read_committed`, `locked`, or `serial`, which is `locked` here.

    On SQLite all are the same. `new_pick` makes the transaction itself. Raises ValueError for another name.
    """
    if name not in ("read_committed", "locked", "serial"):
        raise ValueError(f"pick mode {name!r}: must be read_committed, locked or serial")
    if name == "read_committed" or dialect == "sqlite":
        return new_pick()
    return SqlLockedPick(new_pick(), lock_waited)
