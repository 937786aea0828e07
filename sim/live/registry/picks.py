"""How a replica is picked in SQL: one transaction that finds the best row, locks it and counts the request on it.

PostgreSQL orders the rows once, by what the statement saw when it began. A pick that finds its best row locked waits,
and then takes that row if it still passes the filter: the order is not looked at again. So picks that begin together
all take the same row. A lock taken by a statement of its own before that one makes each pick begin after the last
has ended, and a burst spreads evenly.

SQLite has one writer at a time, and its transactions start as writers here: picks are serial in either mode.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Select, and_, bindparam, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sim.live.registry.advisory_locks import lock_key
from sim.live.registry.choice import Choice
from sim.live.registry.tables import REPLICA_COLUMNS, backend_nodes, model_config_states, node_models, stored_row
from sim.routing.ports import Clock
from sim.routing.replica import Replica
from sim.routing.states import NodeStatus, RowState

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
"""The rows that a pick of the model may choose, before what its caller asks for."""

_AMONG = _rows.node_id.in_(bindparam("candidates", expanding=True))
_PREFERRED_FIRST = case(
    (
        and_(
            _rows.node_id == bindparam("preferred_node"),
            _rows.model_name == bindparam("preferred_model"),
            _rows.replica_index == bindparam("preferred_index"),
        ),
        0,
    ),
    else_=1,
)


def _lock_best_row(has_candidates: bool, has_preferred: bool) -> Select[Any]:
    among = ELIGIBLE_ROWS.where(_AMONG) if has_candidates else ELIGIBLE_ROWS
    order = (_PREFERRED_FIRST, *PICK_ORDER) if has_preferred else PICK_ORDER
    # Without a list of tables: the node's row is locked as well, so its picks for any model exclude one another.
    return among.order_by(*order).limit(1).with_for_update()


LOCK_BEST_ROW: Final[Mapping[tuple[bool, bool], Select[Any]]] = {
    (has_candidates, has_preferred): _lock_best_row(has_candidates, has_preferred)
    for has_candidates in (False, True)
    for has_preferred in (False, True)
}
"""`Choice.best`, in SQL: the statement for each `shape` of a choice."""

COUNT_PICK: Final = (
    update(node_models)
    .where(_rows.id == bindparam("row"))
    .values(in_flight=_rows.in_flight + 1, last_used=bindparam("now_ns"), updated_at=bindparam("now_ns"))
)

NODE_IF_HEALTHY: Final = select(_nodes.id).where(_nodes.id == bindparam("node"), _nodes.status == NodeStatus.HEALTHY)

TRY_LOCK: Final = select(func.pg_try_advisory_xact_lock(bindparam("key")))
LOCK: Final = select(func.pg_advisory_xact_lock(bindparam("key")))

LockWaited = Callable[[int], None]
"""Told how long a transaction has waited for a lock, in ns."""


def shape(choice: Choice) -> tuple[bool, bool]:
    """Return whether the choice names candidates, and whether it prefers a replica."""
    return bool(choice.candidates), choice.preferred is not None


def parameters(choice: Choice) -> dict[str, Any]:
    """Return what the choice's statement is executed with."""
    named: dict[str, Any] = {"model": choice.model}
    if choice.candidates:
        named["candidates"] = list(choice.candidates)
    if choice.preferred is not None:
        node, model, index = choice.preferred
        named |= {"preferred_node": node, "preferred_model": model, "preferred_index": index}
    return named


class PickMode(Protocol):
    """One transaction that chooses a row and counts the request on it."""

    async def pick(self, connection: AsyncConnection, choice: Choice, clock: Clock) -> Replica | None:
        """Return the row as read, before the increment; on None, nothing may be committed."""


class FaithfulPick:
    """`SELECT … ORDER BY … LIMIT 1 FOR UPDATE`, then the update: on PostgreSQL, waiters keep the order they began with.

    The scenarios' `read_committed`.
    """

    async def pick(self, connection: AsyncConnection, choice: Choice, clock: Clock) -> Replica | None:
        """Lock the best row and its node, count the pick, and look whether the node is healthy still."""
        found = await self.lock_best_row(connection, choice)
        if found is None:
            return None
        row = stored_row(found)
        # Read once the row is ours: the time spent waiting for it is over by then.
        await connection.execute(COUNT_PICK, {"row": row.id, "now_ns": clock.wall_ns()})
        node = (await connection.execute(NODE_IF_HEALTHY, {"node": row.key.node})).first()
        return None if node is None else row.as_read()

    async def lock_best_row(self, connection: AsyncConnection, choice: Choice) -> Sequence[Any] | None:
        """Return the best row as REPLICA_COLUMNS, locked; None if there is none."""
        statement = LOCK_BEST_ROW[shape(choice)]
        found: Sequence[Any] | None = (await connection.execute(statement, parameters(choice))).first()
        return found


class LockedPick:
    """The same pick behind a lock per model, on PostgreSQL."""

    def __init__(self, pick_mode: PickMode, lock_waited: LockWaited) -> None:
        self._pick_mode = pick_mode
        self._lock_waited = lock_waited

    async def pick(self, connection: AsyncConnection, choice: Choice, clock: Clock) -> Replica | None:
        """Pick while nobody else picks for the model; the lock goes with the transaction."""
        key = {"key": lock_key(f"pick:{choice.model}")}
        # An attempt never overtakes those who wait already; it only tells whether there is anything to wait for.
        if not (await connection.execute(TRY_LOCK, key)).scalar_one():
            began_ns = clock.now_ns()
            await connection.execute(LOCK, key)
            self._lock_waited(clock.now_ns() - began_ns)
        return await self._pick_mode.pick(connection, choice, clock)


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
