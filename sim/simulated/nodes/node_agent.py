"""A worker's messages to the registry about its node: registrations, heartbeats and free VRAM."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from sim.routing.errors import CallError
from sim.routing.fleet import NodeFacts, NodeReport, NodeStatus, ReplicaRow
from sim.routing.journal import tell_node_changed
from sim.routing.ports import Journal
from sim.routing.registry import Registry
from sim.routing.units import NS_PER_S
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.worker import WorkerNode

RETRY_NS = 2 * NS_PER_S
"""How long a worker waits after a failed attempt to register."""


class NodeAgent:
    """Sends one node's messages to one frontend, whose clock dates them."""

    def __init__(
        self,
        runtime: SimulatedRuntime,
        journal: Journal,
        registry: Registry,
        node: WorkerNode,
        facts: NodeFacts,
        heartbeat_ns: int | None,
    ) -> None:
        """`heartbeat_ns` is the time between heartbeats; None for none at all."""
        self.facts = facts
        self.node = node
        self.gags = 0
        """Number of faults that suppress its heartbeats. A node that is down sends none either."""
        self.alter: Callable[[NodeReport], NodeReport] = lambda report: report
        """Changes a report on its way. Faults set it."""
        self._runtime = runtime
        self._journal = journal
        self._registry = registry
        self._heartbeat_ns = heartbeat_ns

    async def beat_for_ever(self) -> None:
        """Send heartbeats, each with the node's free VRAM and disk."""
        if self._heartbeat_ns is None:
            return
        while True:
            await self._runtime.sleep(self._heartbeat_ns)
            await self.node.speed.moving()
            await self._beat()

    async def report(self) -> None:
        """Report what the node has free, if it sends no heartbeats."""
        if self._heartbeat_ns is None:
            await self._beat()

    async def register(self, cause: str) -> None:
        """Register the node, which deletes its rows."""
        removed = await self._registry.register_node(self.facts)
        tell_node_changed(self._journal, self.facts.name, NodeStatus.HEALTHY, cause, removed)
        await self.report()

    async def drain(self) -> Sequence[ReplicaRow]:
        """Take the node out of service; return the rows that this deletes. Raises a CallError if the registry fails."""
        return await self._registry.set_status(self.facts.name, NodeStatus.DRAINING)

    async def rejoin(self, cause: str) -> None:
        """Register, with retries, unless the node goes down before."""
        boots = self.node.boots
        while True:
            await self.node.speed.moving()
            if not self.node.is_up or self.node.boots != boots:
                return
            if not self.gags:
                with suppress(CallError):
                    await self.register(cause)
                    return
            await self._runtime.sleep(RETRY_NS)

    async def _beat(self) -> None:
        if self.node.is_up and not self.gags:
            with suppress(CallError):
                await self._registry.heartbeat(self.facts.name, self.alter(self.node.report()))
