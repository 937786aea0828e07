"""One way to drive each registry, simulated or real, through the same story."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from sim.live.registry import SqlRegistry, connect
from sim.live.runtime import AsyncioRuntime
from sim.routing.ports import Registry, Runtime
from sim.routing.replica import ReplicaKey
from sim.simulated.fifo_queue import FifoQueue
from sim.simulated.pick_modes import LockedPick, PickMode, ReadCommittedPick, SerialPick
from sim.simulated.registry import SimulatedRegistry
from sim.simulated.replica_table import NodeRow, ReplicaTable
from sim.simulated.runtime import SimulatedRuntime
from tests.twins import ListJournal

MODEL = "m"
MS = 1_000_000
FAR_NS = 10**18
TRANSACTION_NS = MS
GB = 10**9


class Arm(Protocol):
    """A registry, and what a story needs beside it."""

    @property
    def runtime(self) -> Runtime:
        """The runtime that the story is told on."""

    @property
    def registry(self) -> Registry:
        """The registry under test."""

    async def in_flight(self, key: ReplicaKey) -> int | None:
        """Return the stored count; None if there is no such row."""

    async def settle(self) -> None:
        """Wait until all counts have been given back."""


Story = Callable[[Arm], Awaitable[None]]
Nodes = dict[str, tuple[int, int]]
"""Slots and free VRAM, by name."""


class SqlArm:
    """A real registry."""

    def __init__(self, registry: SqlRegistry, runtime: AsyncioRuntime) -> None:
        self.registry = registry
        self.runtime = runtime

    async def in_flight(self, key: ReplicaKey) -> int | None:
        return next((row.in_flight for row in await self.registry.rows() if row.key == key), None)

    async def settle(self) -> None:
        await self.registry.drain()


class SimulatedArm:
    """A simulated registry."""

    def __init__(self, mode: str, nodes: Nodes) -> None:
        self.runtime = SimulatedRuntime()
        rows = [NodeRow(name, slots, vram, FifoQueue(self.runtime, 1)) for name, (slots, vram) in nodes.items()]
        self.table = ReplicaTable(self.runtime, rows)
        self.registry = SimulatedRegistry(
            self.runtime, self.table, self._pick_mode(mode), TRANSACTION_NS, ListJournal()
        )

    async def in_flight(self, key: ReplicaKey) -> int | None:
        row = self.table.rows.get(key)
        return None if row is None else row.in_flight

    async def settle(self) -> None:
        await self.runtime.sleep(1000 * TRANSACTION_NS)

    def _pick_mode(self, name: str) -> PickMode:
        if name == "serial":
            return SerialPick(self.runtime, self.table, TRANSACTION_NS)
        read_committed = ReadCommittedPick(self.runtime, self.table, TRANSACTION_NS, lambda _: None)
        if name == "read_committed":
            return read_committed
        return LockedPick(self.runtime, read_committed, lambda _: None)


async def tell_on_sql(url: str, mode: str, nodes: Nodes, story: Story) -> None:
    """Tell the story on the database of that URL."""
    runtime = AsyncioRuntime()
    async with connect(url, runtime, pick=mode) as registry:
        await registry.reset()
        for name, (slots, vram) in nodes.items():
            await registry.register_node(name, slots, vram)
        await story(SqlArm(registry, runtime))


def tell_simulated(mode: str, nodes: Nodes, story: Story) -> None:
    """Tell the story on a simulated registry."""
    arm = SimulatedArm(mode, nodes)
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


async def put(arm: Arm, node: str, in_flight: int = 0, model: str = MODEL, index: int = 0) -> ReplicaKey:
    """Write a loaded row and return its key."""
    key = ReplicaKey(node, model, index)
    await arm.registry.publish(key, f"{node}:{index}", in_flight)
    return key


async def picked_nodes(arm: Arm, picks: int, then: Callable[[ReplicaKey], Awaitable[Any]] | None = None) -> list[str]:
    """Pick so many times, doing something after each, and return the nodes in order."""
    nodes = []
    for _ in range(picks):
        replica = await arm.registry.pick(MODEL)
        assert replica is not None
        nodes.append(replica.key.node)
        if then is not None:
            await then(replica.key)
    return nodes
