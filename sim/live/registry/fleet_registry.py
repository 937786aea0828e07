"""The registry's other side, for placement and the background loops: the fleet as a whole."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sim.live.registry.registry import SqlRegistry
from sim.live.registry.tables import (
    backend_nodes,
    model_config_states,
    model_cooldowns,
    model_load_infos,
    node_models,
    passes,
    read_node,
    read_row,
)
from sim.live.registry.transactions import AnsweredLock
from sim.routing.fleet import (
    NO_COOLDOWN,
    OVERTAKEN,
    STATUS_HEEDED,
    Cooldown,
    Fleet,
    NodeFacts,
    NodeReport,
    NodeStatus,
    ReplicaRow,
    RowState,
)

_rows, _nodes, _cooldowns, _passes = node_models.c, backend_nodes.c, model_cooldowns.c, passes.c
_states = model_config_states.c

ROWS: Final = select(node_models).order_by(_rows.id)

LOCKED_ROWS: Final = ROWS.with_for_update()
"""The same, and nobody picks, changes or deletes one of them before the transaction ends.

Every transaction locks rows by id and then nodes, as a pick does. Otherwise two could wait for each other.
"""

# A database that is older than the column has NULL there.
_reserved = func.coalesce(_nodes.reserved_vram, 0)


class SqlFleetRegistry(SqlRegistry):
    """A registry that also shows and changes nodes, and rows in any state."""

    async def fleet(self) -> Fleet:
        """Read everything, as of one instant."""

        async def work(connection: AsyncConnection) -> Fleet:
            if self._database.dialect == "postgresql":
                # Otherwise each statement would see what was committed before it began.
                await connection.execution_options(isolation_level="REPEATABLE READ")
            return await _read_fleet(connection, ROWS)

        return await self._transactions.run(work)

    async def register_node(self, facts: NodeFacts) -> Sequence[ReplicaRow]:
        """Write the node as healthy, and return the rows that it loses."""

        async def work(connection: AsyncConnection) -> Sequence[ReplicaRow]:
            now_ns = self._runtime.wall_ns()
            row = {
                "status": NodeStatus.HEALTHY,
                "slots": facts.slots,
                "address": facts.address,
                "labels": json.dumps(dict(facts.labels)),
                "capacities": json.dumps(dict(facts.capacities)),
                "available_vram": facts.total_vram_bytes,
                "reserved_vram": 0,
                "total_disk": facts.total_disk_bytes,
                "available_disk": facts.total_disk_bytes,
                "last_heartbeat": now_ns,
                "updated_at": now_ns,
            }
            removed = await _delete_rows_of(connection, facts.name)
            insert = self._insert(backend_nodes).values({"id": facts.name} | row)
            await connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=row))
            await connection.execute(delete(model_cooldowns))
            return removed

        return await self._transactions.run(work)

    async def heartbeat(self, node: str, report: NodeReport) -> None:
        """Set the node's heartbeat to now, and take over what it reports; waits for picks that hold the node."""
        values: dict[str, Any] = {"last_heartbeat": self._runtime.wall_ns()}
        if report.available_vram_bytes is not None:
            values |= {"available_vram": report.available_vram_bytes, "reserved_vram": 0}
        if report.available_disk_bytes is not None:
            values["available_disk"] = report.available_disk_bytes
        await self._transactions.run(lambda connection: self._update_node(connection, node, values))

    async def set_status(self, node: str, status: NodeStatus) -> Sequence[ReplicaRow]:
        """Set the node's status, and return the rows that it loses."""

        async def work(connection: AsyncConnection) -> Sequence[ReplicaRow]:
            removed = await _delete_rows_of(connection, node) if status in STATUS_HEEDED.delete_rows else []
            await self._update_node(connection, node, {"status": status})
            return removed

        return await self._transactions.run(work)

    async def remove_row(self, row_id: str) -> bool:
        """Delete the row with this id; False if it is gone."""
        return await self._delete_if(_rows.id == row_id)

    async def remove_idle_row(self, row_id: str, unused_since_ns: int) -> bool:
        """Delete the row unless it is busy or was used later than that."""
        return await self._delete_if(_rows.id == row_id, _rows.in_flight == 0, _rows.last_used <= unused_since_ns)

    async def confirm_row(self, row_id: str) -> None:
        """Set the row's update time to now."""
        await self._update_row(row_id, updated_at=self._runtime.wall_ns())

    async def clear_in_flight(self, row_id: str) -> None:
        """Set the row's count to 0."""
        await self._update_row(row_id, in_flight=0)

    async def evict(self, choose: Callable[[Fleet], ReplicaRow | None]) -> ReplicaRow | None:
        """Lock every row, choose one and delete it."""

        async def work(connection: AsyncConnection) -> ReplicaRow | None:
            chosen = choose(await _read_fleet(connection, LOCKED_ROWS))
            if chosen is not None:
                await connection.execute(delete(node_models).where(_rows.id == chosen.id))
            return chosen

        return await self._transactions.run(work)

    async def reserve_vram(self, node: str, size_bytes: int) -> bool:
        """Reserve memory, if that much is unreserved."""

        async def work(connection: AsyncConnection) -> bool:
            values = {"reserved_vram": _reserved + size_bytes}
            return await self._update_node(connection, node, values, _reserved + size_bytes <= _nodes.available_vram)

        def undo(is_reserved: bool) -> None:
            if is_reserved:
                self._unattended(self.release_vram(node, size_bytes), f"VRAM reserved on {node}")

        return await self._transactions.run(work, undo)

    async def release_vram(self, node: str, size_bytes: int) -> None:
        """Release reserved memory, down to 0."""
        left = case((_reserved > size_bytes, _reserved - size_bytes), else_=0)
        await self._transactions.run(lambda connection: self._update_node(connection, node, {"reserved_vram": left}))

    async def set_cooldown(self, model: str, cooldown: Cooldown) -> None:
        """Write the model's cooldown, or clear it."""

        async def work(connection: AsyncConnection) -> None:
            if cooldown == NO_COOLDOWN:
                await connection.execute(delete(model_cooldowns).where(_cooldowns.model == model))
                return
            row = {"fruitless_passes": cooldown.fruitless_passes, "until": cooldown.until_ns}
            insert = self._insert(model_cooldowns).values({"model": model} | row)
            await connection.execute(insert.on_conflict_do_update(index_elements=["model"], set_=row))

        await self._transactions.run(work)

    async def advance_revision(self, model: str, revision: str) -> Sequence[ReplicaRow]:
        """Set the model's current revision, and return the rows that it overtakes."""

        async def work(connection: AsyncConnection) -> Sequence[ReplicaRow]:
            insert = self._insert(model_config_states).values(model=model, revision=revision)
            advance = insert.on_conflict_do_update(
                index_elements=["model"], set_={"revision": revision}, where=_states.revision != revision
            )
            if not (await connection.execute(advance)).rowcount:
                return []
            await connection.execute(delete(model_load_infos).where(model_load_infos.c.model == model))
            return await _unload_overtaken(connection, model, revision)

        return await self._transactions.run(work)

    async def claim_pass(self, name: str, interval_ns: int) -> bool:
        """Return True to the first caller in each interval, and False to the others."""

        async def work(connection: AsyncConnection) -> bool:
            now_ns = self._runtime.wall_ns()
            insert = self._insert(passes).values(name=name, claimed_at=now_ns)
            claim = insert.on_conflict_do_update(
                index_elements=["name"],
                set_={"claimed_at": now_ns},
                where=_passes.claimed_at <= now_ns - interval_ns,
            )
            return bool((await connection.execute(claim)).rowcount)

        return await self._transactions.run(work)

    def try_lock(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Hold the advisory lock of that name if it is free."""
        return self._held_if_free(name)

    @asynccontextmanager
    async def _held_if_free(self, name: str) -> AsyncIterator[bool]:
        self._transactions.count += 1
        async with AnsweredLock(self._database.locks.held_if_free(name)) as is_held:
            yield is_held

    async def _update_node(
        self, connection: AsyncConnection, node: str, values: dict[str, Any], *conditions: ColumnElement[bool]
    ) -> bool:
        statement = update(backend_nodes).where(_nodes.id == node, *conditions)
        values = values | {"updated_at": self._runtime.wall_ns()}
        return bool((await connection.execute(statement.values(values))).rowcount)

    async def _update_row(self, row_id: str, **values: int) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(node_models).where(_rows.id == row_id).values(values))

        await self._transactions.run(work)

    async def _delete_if(self, *conditions: ColumnElement[bool]) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(delete(node_models).where(*conditions))).rowcount)

        return await self._transactions.run(work)


async def _read_fleet(connection: AsyncConnection, rows: Select[Any]) -> Fleet:
    found_rows = [read_row(selected) for selected in await connection.execute(rows)]
    found_nodes = [
        read_node(selected) for selected in await connection.execute(select(backend_nodes).order_by(_nodes.id))
    ]
    loadable = await connection.execute(select(model_load_infos).order_by(model_load_infos.c.model))
    cooldowns = await connection.execute(select(model_cooldowns).order_by(_cooldowns.model))
    revisions = await connection.execute(select(model_config_states).order_by(_states.model))
    return Fleet(
        nodes=found_nodes,
        rows=found_rows,
        loadable=dict.fromkeys(found.model for found in loadable),
        cooldowns={found.model: Cooldown(found.fruitless_passes, found.until) for found in cooldowns},
        revisions={found.model: found.revision for found in revisions},
    )


async def _delete_rows_of(connection: AsyncConnection, node: str) -> Sequence[ReplicaRow]:
    """Delete the node's rows and return them as they were."""
    locked = await connection.execute(LOCKED_ROWS.where(_rows.node_id == node))
    removed = [read_row(selected) for selected in locked]
    await connection.execute(delete(node_models).where(_rows.id.in_([row.id for row in removed])))
    return removed


async def _unload_overtaken(connection: AsyncConnection, model: str, revision: str) -> Sequence[ReplicaRow]:
    """Turn the model's rows of other revisions into unloading and return them as they are then."""
    is_overtaken = func.coalesce(_rows.revision, "") != revision, _rows.state.in_(OVERTAKEN)
    locked = await connection.execute(LOCKED_ROWS.where(_rows.model_name == model, *is_overtaken))
    overtaken = [replace(read_row(selected), state=RowState.UNLOADING) for selected in locked]
    unload = update(node_models).where(_rows.id.in_([row.id for row in overtaken]))
    await connection.execute(unload.values(state=RowState.UNLOADING))
    return overtaken
