"""How a replica is picked in SQL: one transaction that finds the best row, locks it and counts the request on it.

PostgreSQL orders the rows once, by what the statement saw when it began. A pick that finds its best row locked waits,
and then takes that row if it still passes the filter: the order is not looked at again. So picks that begin together
all take the same row. A lock taken by a statement of its own before that one makes each pick begin after the last
has ended, and a burst spreads evenly.

SQLite has one writer at a time, and its transactions start as writers here: picks are serial in either mode.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sim.live.advisory_locks import lock_key
from sim.live.tables import HEALTHY, LOADED, REPLICA_COLUMNS, backend_nodes, node_models, stored_row
from sim.routing.ports import Clock
from sim.routing.replica import Replica

_rows, _nodes = node_models.c, backend_nodes.c

# NULLs are placed as PostgreSQL does by default, and by name, because SQLite does otherwise.
PICK_ORDER: Final = (
    _rows.in_flight.asc().nulls_last(),
    _rows.last_used.asc().nulls_last(),
    _nodes.available_vram.desc().nulls_first(),
    _rows.id.asc(),
)
"""`pick_best_replica` over rows listed by id, in SQL."""

LOCK_BEST_ROW: Final[Select[Any]] = (
    select(*REPLICA_COLUMNS)
    .join(backend_nodes, _rows.node_id == _nodes.id)
    .where(_rows.model_name == bindparam("model"), _rows.state == LOADED, _nodes.status == HEALTHY)
    .order_by(*PICK_ORDER)
    .limit(1)
    # Without a list of tables: the node's row is locked as well, so its picks for any model exclude one another.
    .with_for_update()
)

COUNT_PICK: Final = (
    update(node_models)
    .where(_rows.id == bindparam("row"))
    .values(in_flight=_rows.in_flight + 1, last_used=bindparam("now_ns"), updated_at=bindparam("now_ns"))
)

NODE_IF_HEALTHY: Final = select(_nodes.id).where(_nodes.id == bindparam("node"), _nodes.status == HEALTHY)

TRY_LOCK: Final = select(func.pg_try_advisory_xact_lock(bindparam("key")))
LOCK: Final = select(func.pg_advisory_xact_lock(bindparam("key")))

LockWaited = Callable[[int], None]
"""Told how long a transaction has waited for a lock, in ns."""


class PickMode(Protocol):
    """One transaction that chooses a row and counts the request on it."""

    async def pick(self, connection: AsyncConnection, model: str, clock: Clock) -> Replica | None:
        """Return the row as read, before the increment; on None, nothing may be committed."""


class FaithfulPick:
    """`SELECT … ORDER BY … LIMIT 1 FOR UPDATE`, then the update: on PostgreSQL, waiters keep the order they began with.

    The scenarios' `read_committed`.
    """

    async def pick(self, connection: AsyncConnection, model: str, clock: Clock) -> Replica | None:
        """Lock the best row and its node, count the pick, and look whether the node is healthy still."""
        found = await self.lock_best_row(connection, model)
        if found is None:
            return None
        row = stored_row(found)
        # Read once the row is ours: the time spent waiting for it is over by then.
        await connection.execute(COUNT_PICK, {"row": row.id, "now_ns": clock.wall_ns()})
        node = (await connection.execute(NODE_IF_HEALTHY, {"node": row.key.node})).first()
        return None if node is None else row.as_read()

    async def lock_best_row(self, connection: AsyncConnection, model: str) -> Sequence[Any] | None:
        """Return the best row as REPLICA_COLUMNS, locked; None if there is none."""
        found: Sequence[Any] | None = (await connection.execute(LOCK_BEST_ROW, {"model": model})).first()
        return found


class LockedPick:
    """The same pick behind a lock per model, on PostgreSQL."""

    def __init__(self, pick_mode: PickMode, lock_waited: LockWaited) -> None:
        self._pick_mode = pick_mode
        self._lock_waited = lock_waited

    async def pick(self, connection: AsyncConnection, model: str, clock: Clock) -> Replica | None:
        """Pick while nobody else picks for the model; the lock goes with the transaction."""
        key = {"key": lock_key(f"pick:{model}")}
        # An attempt never overtakes those who wait already; it only tells whether there is anything to wait for.
        if not (await connection.execute(TRY_LOCK, key)).scalar_one():
            began_ns = clock.now_ns()
            await connection.execute(LOCK, key)
            self._lock_waited(clock.now_ns() - began_ns)
        return await self._pick_mode.pick(connection, model, clock)


def ignore_wait(wait_ns: int, /) -> None:
    """Take no notice of a wait."""


def pick_mode(
    name: str, dialect: str, lock_waited: LockWaited, new_pick: Callable[[], PickMode] = FaithfulPick
) -> PickMode:
    """Return the mode of that name in a scenario: `read_committed`, `locked`, or `serial`, which is `locked` here.

    On SQLite all are the same. `new_pick` makes the transaction itself. Raises ValueError for another name.
    """
    if name not in ("read_committed", "locked", "serial"):
        raise ValueError(f"pick mode {name!r}: must be read_committed, locked or serial")
    if name == "read_committed" or dialect == "sqlite":
        return new_pick()
    return LockedPick(new_pick(), lock_waited)
