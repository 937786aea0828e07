"""One way to drive each registry, simulated or real, through the same story."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

from sqlalchemy import insert, update

from sim.live.registry.connection import connect
from sim.live.registry.load_jobs import SqlLoadJobs
from sim.live.registry.picks import SqlPick
from sim.live.registry.tables import backend_nodes, node_models
from sim.live.runtime import AsyncioRuntime
from sim.routing.fleet import Node, NodeFacts, ReplicaRow, RowState
from sim.routing.policies.best_replica import ChooseBest
from sim.routing.policies.choose import Choose
from sim.routing.ports import Runtime
from sim.routing.registry import Registry
from sim.routing.replica import ReplicaKey
from sim.simulated.faults.registry.rows import EMPTY_COLUMN
from sim.simulated.kernel.awaitables import SimFuture
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.registry.database import SimulatedDatabase
from sim.simulated.registry.load_jobs import SimulatedLoadJobs
from sim.simulated.registry.pick_modes import PickModeName, hold_for, new_pick_mode
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import registered
from tests.choices import BEST, Prefer
from tests.live.registry.lock_waits import until_waiting
from tests.twins import ListJournal

MODEL = "m"
MS = 1_000_000
FAR_NS = 10**18
TRANSACTION_NS = MS
GB = 10**9

NODES = [
    NodeFacts("n0", slots=2, total_vram_bytes=24 * GB),
    NodeFacts("n1", total_vram_bytes=16 * GB),
    NodeFacts("n2", total_vram_bytes=8 * GB),
]

SPARE = NodeFacts("n3")
"""One more node, for stories that need it."""


class Arm(Protocol):
    """A registry, and what a story needs beside it."""

    @property
    def runtime(self) -> Runtime:
        """The runtime that the story is told on."""

    @property
    def registry(self) -> Registry:
        """The registry under test."""

    @property
    def floor_hits(self) -> int:
        """Number of decrements that found their row at 0."""

    def show(self, wall_ns: int) -> None:
        """Have the registry's wall clock stand at this time."""

    async def settle(self) -> None:
        """Wait until all counts have been given back."""

    async def write_loose(self, key: ReplicaKey, in_flight: int, state: RowState, revision: str) -> None:
        """Write a row past the registry, as something else might."""

    async def during_a_pick(self, key: ReplicaKey, *writes: Coroutine[Any, Any, Any]) -> list[Any]:
        """Make the writes while a pick holds the row, each once the one before it waits; return their answers.

        None of them may answer before the pick has ended.
        """

    async def empty(self, key: ReplicaKey, column: str) -> None:
        """Make a column of the row NULL: `in_flight` or `last_used`, or `available_vram` of its node."""


Story = Callable[[Arm], Awaitable[None]]


class SettableRuntime(AsyncioRuntime):
    """A runtime whose wall clock can be stopped."""

    shown_ns: int | None = None

    def wall_ns(self) -> int:
        return self.now_ns() if self.shown_ns is None else self.shown_ns


class SqlArm:
    """A real registry."""

    def __init__(self, registry: SqlLoadJobs, runtime: SettableRuntime) -> None:
        self.registry = registry
        self.runtime = runtime

    @property
    def floor_hits(self) -> int:
        return self.registry.floor_hits

    def show(self, wall_ns: int) -> None:
        self.runtime.shown_ns = wall_ns

    async def settle(self) -> None:
        await self.registry.drain()

    async def write_loose(self, key: ReplicaKey, in_flight: int, state: RowState, revision: str) -> None:
        row = insert(node_models).values(
            id=f"loose {key}",
            node_id=key.node,
            model_name=key.model,
            replica_index=key.replica_index,
            address="",
            state=state,
            in_flight=in_flight,
            last_used=0,
            updated_at=0,
            # As a version of ours that knew of no revisions would have left it.
            revision=revision or None,
        )
        async with self.registry.engine.begin() as connection:
            await connection.execute(row)

    async def during_a_pick(self, key: ReplicaKey, *writes: Coroutine[Any, Any, Any]) -> list[Any]:
        waiting: list[asyncio.Task[Any]] = []
        async with self.registry.engine.begin() as transaction:
            await SqlPick().pick(transaction, key.model, Prefer(key), self.runtime)
            for write in writes:
                waiting.append(asyncio.create_task(write))
                await until_waiting(self.registry.engine, len(waiting))
        return await asyncio.gather(*waiting)

    async def empty(self, key: ReplicaKey, column: str) -> None:
        of_row = update(node_models).where(
            node_models.c.node_id == key.node,
            node_models.c.model_name == key.model,
            node_models.c.replica_index == key.replica_index,
        )
        table = update(backend_nodes).where(backend_nodes.c.id == key.node) if column == "available_vram" else of_row
        async with self.registry.engine.begin() as connection:
            await connection.execute(table.values({column: None}))


class SettableClock:
    """A clock of the simulation whose wall time can be stopped."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self.shown_ns: int | None = None
        self.now_ns = runtime.now_ns

    def wall_ns(self) -> int:
        return self.now_ns() if self.shown_ns is None else self.shown_ns


class SimulatedArm:
    """A simulated registry."""

    def __init__(self, mode: PickModeName) -> None:
        self.runtime = SimulatedRuntime()
        self._clock = SettableClock(self.runtime)
        self._table = ReplicaTable(
            self.runtime,
            [registered(facts, FifoQueue(self.runtime, 1), self.runtime.wall_ns()) for facts in (*NODES, SPARE)],
        )
        database = SimulatedDatabase(self.runtime, self._table, TRANSACTION_NS)
        self.registry = SimulatedLoadJobs(
            self.runtime,
            self._clock,
            database,
            new_pick_mode(mode, database, hold_for(self.runtime, TRANSACTION_NS), lambda _: None),
            ListJournal(),
        )

    @property
    def floor_hits(self) -> int:
        return self._table.floor_hits

    def show(self, wall_ns: int) -> None:
        self._clock.shown_ns = wall_ns

    async def settle(self) -> None:
        await self.runtime.sleep(1000 * TRANSACTION_NS)

    async def write_loose(self, key: ReplicaKey, in_flight: int, state: RowState, revision: str) -> None:
        self._table.insert(key, "", in_flight, FifoQueue(self.runtime, 1), 0, state, revision)

    async def during_a_pick(self, key: ReplicaKey, *writes: Coroutine[Any, Any, Any]) -> list[Any]:
        answers = [self.runtime.future() for _ in writes]

        async def wait_for(write: Coroutine[Any, Any, Any], answer: SimFuture) -> None:
            answer.set_result(await write)

        for write, answer in zip(writes, answers, strict=True):
            self.runtime.spawn(wait_for(write, answer), "write")
        # So that the writes' own time is over in the middle of the pick's.
        await self.runtime.sleep(TRANSACTION_NS // 2)
        await self.registry.pick(key.model, Prefer(key))
        assert not any(answer.done() for answer in answers)
        return [await answer for answer in answers]

    async def empty(self, key: ReplicaKey, column: str) -> None:
        EMPTY_COLUMN[column](self._table, self._table.rows[key])


async def tell_on_sql(url: str, mode: str, story: Story) -> None:
    """Tell the story on the database of that URL."""
    runtime = SettableRuntime()
    async with connect(url, runtime, pick=mode) as registry:
        await registry.reset()
        for facts in (*NODES, SPARE):
            await registry.register_node(facts)
        await story(SqlArm(registry, runtime))


def tell_simulated(mode: PickModeName, story: Story) -> None:
    """Tell the story on a simulated registry."""
    arm = SimulatedArm(mode)
    ended: list[BaseException | None] = []

    async def tell() -> None:
        try:
            await story(arm)
        except BaseException as error:
            ended.append(error)
        else:
            ended.append(None)

    arm.runtime.spawn(tell(), "story")
    arm.runtime.run_tasks(FAR_NS)
    if ended[0] is not None:
        raise ended[0]


async def put(
    arm: Arm,
    node: str,
    in_flight: int = 0,
    model: str = MODEL,
    index: int = 0,
    state: RowState = RowState.LOADED,
    revision: str = "",
) -> ReplicaKey:
    """Write a row and return its key."""
    key = ReplicaKey(node, model, index)
    await arm.registry.publish(key, f"{node}:{index}", in_flight, state, revision)
    return key


async def row(arm: Arm, key: ReplicaKey) -> ReplicaRow:
    """Return the row of that key, which must be there."""
    [found] = [row for row in (await arm.registry.fleet()).rows if row.key == key]
    return found


async def rows(arm: Arm) -> dict[ReplicaKey, int]:
    """Return the stored count of each row, by key."""
    return {row.key: row.in_flight for row in (await arm.registry.fleet()).rows}


async def node(arm: Arm, name: str) -> Node:
    """Return the node of that name."""
    [found] = [node for node in (await arm.registry.fleet()).nodes if node.name == name]
    return found


async def picked_nodes(arm: Arm, picks: int, then: Callable[[ReplicaKey], Awaitable[Any]] | None = None) -> list[str]:
    """Pick so many times, doing something after each, and return the nodes in order."""
    nodes = []
    for _ in range(picks):
        replica = await arm.registry.pick(MODEL, BEST)
        assert replica is not None
        nodes.append(replica.key.node)
        if then is not None:
            await then(replica.key)
    return nodes


async def picked(arm: Arm, candidates: Sequence[str] = (), preferred: ReplicaKey | None = None) -> ReplicaKey | None:
    """Pick once, and return which replica."""
    choose: Choose = ChooseBest(candidates) if preferred is None else Prefer(preferred, candidates)
    replica = await arm.registry.pick(MODEL, choose)
    return None if replica is None else replica.key
