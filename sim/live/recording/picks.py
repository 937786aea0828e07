"""A pick that also tells which rows it chose among, as its own statement saw them."""

from typing import Any, Final

from sqlalchemy import Row, Select, and_, bindparam, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from sim.live.picks import LOCK_BEST_ROW, FaithfulPick
from sim.live.recording.lines import Seen
from sim.live.recording.ports import seen_by_pick
from sim.live.tables import HEALTHY, LOADED, REPLICA_COLUMNS, backend_nodes, node_models, stored_row
from sim.routing.ports import Clock
from sim.routing.replica import Replica, pick_best_replica

_rows, _nodes = node_models.c, backend_nodes.c
_WIDTH: Final = len(REPLICA_COLUMNS)

ELIGIBLE_ROWS: Final[Select[Any]] = (
    select(*REPLICA_COLUMNS)
    .join(backend_nodes, _rows.node_id == _nodes.id)
    .where(and_(_rows.model_name == bindparam("model"), _rows.state == LOADED, _nodes.status == HEALTHY))
    .order_by(_rows.id)
)
"""The rows that a pick of the model may choose."""

_seen = ELIGIBLE_ROWS.order_by(None).subquery("seen")
_best = LOCK_BEST_ROW.cte("best")

# One statement, so one snapshot: what is listed is what the choice was made among. A common table expression that
# locks is carried out once, whatever stands around it.
LOCK_BEST_AND_LIST: Final[Select[Any]] = select(*_seen.c, *_best.c).join_from(_seen, _best, true(), isouter=True)


class RecordingPick(FaithfulPick):
    """The same transaction, in which the choice's statement lists the rows as well."""

    async def pick(self, connection: AsyncConnection, model: str, clock: Clock) -> Replica | None:
        """Pick, and put what was seen where the caller looks for it."""
        replica = await super().pick(connection, model, clock)
        seen = seen_by_pick.get()
        if seen and replica is None:
            seen[-1].refused = pick_best_replica(_left(seen[-1])) is not None
        return replica

    async def lock_best_row(self, connection: AsyncConnection, model: str) -> Row[Any] | tuple[Any, ...] | None:
        """Return the best row, locked, or None."""
        listed = (await connection.execute(LOCK_BEST_AND_LIST, {"model": model})).all()
        rows = sorted((stored_row(row[:_WIDTH]).as_ordered() for row in listed), key=lambda row: row.id)
        found = tuple(listed[0][_WIDTH:]) if listed and listed[0][_WIDTH] is not None else None
        seen = Seen(rows, gone=[])
        best = pick_best_replica(rows)
        if best is not None and (found is None or found[0] != best.id):
            # The best one could not be had: asked now, because ids never come back and what was chosen is locked.
            there = {row.id for row in await connection.execute(ELIGIBLE_ROWS, {"model": model})}
            seen.gone = [row.id for row in rows if row.id not in there]
        kept = seen_by_pick.get()
        if kept is not None:
            kept.append(seen)
        return found


def _left(seen: Seen) -> list[Replica]:
    return [row for row in seen.rows if row.id not in seen.gone]
