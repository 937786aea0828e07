"""A pick that also tells which rows it chose among, as its own statement saw them."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Row, Select, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from sim.live.recording.lines import Seen
from sim.live.recording.registry import seen_by_pick
from sim.live.registry.choice import Choice
from sim.live.registry.picks import ELIGIBLE_ROWS, LOCK_BEST_ROW, FaithfulPick, parameters, shape
from sim.live.registry.tables import REPLICA_COLUMNS, stored_row
from sim.routing.ports import Clock
from sim.routing.replica import Replica

_WIDTH: Final = len(REPLICA_COLUMNS)


def _and_list(lock_best_row: Select[Any]) -> Select[Any]:
    """Return a statement that lists all eligible rows of the model beside the one that it locks.

    One statement, so one snapshot: what is listed is what the choice was made among. A common table expression that
    locks is carried out once, whatever stands around it.
    """
    seen, best = ELIGIBLE_ROWS.subquery("seen"), lock_best_row.cte("best")
    return select(*seen.c, *best.c).join_from(seen, best, true(), isouter=True)


LOCK_BEST_AND_LIST: Final[Mapping[tuple[bool, bool], Select[Any]]] = {
    asked: _and_list(statement) for asked, statement in LOCK_BEST_ROW.items()
}


class RecordingPick(FaithfulPick):
    """The same transaction, in which the choice's statement lists the rows as well."""

    async def pick(self, connection: AsyncConnection, choice: Choice, clock: Clock) -> Replica | None:
        """Pick, and put what was seen where the caller looks for it."""
        replica = await super().pick(connection, choice, clock)
        seen = seen_by_pick.get()
        if seen and replica is None:
            seen[-1].refused = choice.best(_left(seen[-1])) is not None
        return replica

    async def lock_best_row(self, connection: AsyncConnection, choice: Choice) -> Row[Any] | tuple[Any, ...] | None:
        """Return the best row, locked, or None."""
        listed = (await connection.execute(LOCK_BEST_AND_LIST[shape(choice)], parameters(choice))).all()
        rows = sorted((stored_row(row[:_WIDTH]).as_ordered() for row in listed), key=lambda row: row.id)
        found = tuple(listed[0][_WIDTH:]) if listed and listed[0][_WIDTH] is not None else None
        seen = Seen(rows, gone=[])
        best = choice.best(rows)
        if best is not None and (found is None or found[0] != best.id):
            # The best one could not be had: asked now, because ids never come back and what was chosen is locked.
            there = {row.id for row in await connection.execute(ELIGIBLE_ROWS, {"model": choice.model})}
            seen.gone = [row.id for row in rows if row.id not in there]
        kept = seen_by_pick.get()
        if kept is not None:
            kept.append(seen)
        return found


def _left(seen: Seen) -> list[Replica]:
    return [row for row in seen.rows if row.id not in seen.gone]
