"""A pick that also lists the rows it chose from, as its own statement saw them."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from sim.live.recording.lines import Seen
from sim.live.recording.registry import seen_by_pick
from sim.live.registry.picks import (
    ELIGIBLE_ROWS,
    ELIGIBLE_ROWS_ON_NODES,
    ORDERS,
    SqlPick,
    lock_first,
    parameters,
)
from sim.live.registry.tables import REPLICA_COLUMNS, StoredRow, stored_row
from sim.routing.policies.choose import Choose
from sim.routing.replica import Replica

_WIDTH: Final = len(REPLICA_COLUMNS)


@cache
def lock_first_and_list(order: str, on_nodes: bool) -> Select[Any]:
    """Return a statement that lists all eligible rows of the model beside the one that it locks.

    One statement has one snapshot, so the listed rows are those the choice was made from. PostgreSQL executes a locking
    common table expression exactly once.
    """
    eligible = ELIGIBLE_ROWS_ON_NODES if on_nodes else ELIGIBLE_ROWS
    seen, first = eligible.subquery("seen"), lock_first(order, on_nodes).cte("best")
    return select(*seen.c, *first.c).join_from(seen, first, true(), isouter=True)


class RecordingPick(SqlPick):
    """The same transaction, which also hands the rows it saw to its caller."""

    async def lock_chosen(self, connection: AsyncConnection, model: str, choose: Choose) -> Sequence[Any] | None:
        """Return the chosen row, locked; where an order of the database's decides, its statement lists the rows too."""
        if choose.order not in ORDERS:
            return await super().lock_chosen(connection, model, choose)
        statement = lock_first_and_list(choose.order, bool(choose.nodes))
        listed = (await connection.execute(statement, parameters(model, choose))).all()
        rows = sorted((stored_row(row[:_WIDTH]).as_read() for row in listed), key=lambda row: row.id)
        found = tuple(listed[0][_WIDTH:]) if listed and listed[0][_WIDTH] is not None else None
        seen = _note(rows)
        best = choose(rows)
        if best is not None and (found is None or found[0] != best.id):
            # The best row was gone. Asking now is safe, because ids are never reused and the chosen row is locked.
            there = {row.id for row in await connection.execute(ELIGIBLE_ROWS, {"model": model})}
            seen.gone = [row.id for row in rows if row.id not in there]
        return found

    async def lock_one_of(
        self, connection: AsyncConnection, choose: Choose, rows: Sequence[Replica]
    ) -> Sequence[Any] | None:
        """Choose among the rows, and note them."""
        _note(rows)
        return await super().lock_one_of(connection, choose, rows)

    async def lock_one(self, connection: AsyncConnection, chosen: Replica) -> Sequence[Any] | None:
        """Lock the row, or note that it is gone."""
        found = await super().lock_one(connection, chosen)
        kept = seen_by_pick.get()
        if kept and found is None:
            kept[-1].gone.append(chosen.id)
        return found

    async def is_on_healthy_node(self, connection: AsyncConnection, row: StoredRow) -> bool:
        """Tell whether the locked row may be given away, and note if it may not."""
        is_healthy = await super().is_on_healthy_node(connection, row)
        kept = seen_by_pick.get()
        if kept and not is_healthy:
            kept[-1].refused = True
        return is_healthy


def _note(rows: Sequence[Replica]) -> Seen:
    """Hand the rows that the running pick chooses from to its caller."""
    seen, kept = Seen(list(rows), gone=[]), seen_by_pick.get()
    if kept is not None:
        kept.append(seen)
    return seen
