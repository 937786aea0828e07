"""What a worker tells the registry of its node: that it is there, that it lives, and what it has free."""

from collections.abc import Callable
from contextlib import suppress

from sim.routing.errors import CallError
from sim.routing.fleet import FleetRegistry, NodeFacts, NodeReport
from sim.routing.ports import Journal
from sim.simulated.runtime import SimulatedRuntime
from sim.simulated.worker import WorkerNode


class NodeAgent:
    """The voice of one node. It speaks to one frontend, whose clock dates what it says."""

    def __init__(
        self,
        runtime: SimulatedRuntime,
        journal: Journal,
        registry: FleetRegistry,
        node: WorkerNode,
        facts: NodeFacts,
        heartbeat_ns: int | None,
    ) -> None:
        """`heartbeat_ns` is the time between heartbeats; None for none at all."""
        self.facts = facts
        self.node = node
        self.gags = 0
        """How many faults keep its heartbeats from being heard; a node that is down is not heard either."""
        self.alter: Callable[[NodeReport], NodeReport] = lambda report: report
        """What becomes of a report on its way; for faults to change."""
        self._runtime = runtime
        self._journal = journal
        self._registry = registry
        self._heartbeat_ns = heartbeat_ns

    async def beat_for_ever(self) -> None:
        """Send heartbeats, each with what the node has free."""
        if self._heartbeat_ns is None:
            return
        while True:
            await self._runtime.sleep(self._heartbeat_ns)
            if self.node.is_up and not self.gags:
                with suppress(CallError):
                    await self._registry.heartbeat(self.facts.name, self.alter(self.node.report()))

    async def report(self) -> None:
        """Tell what the node has free where no heartbeats do."""
        if self._heartbeat_ns is None:
            await self._registry.heartbeat(self.facts.name, self.alter(self.node.report()))

    async def register(self, cause: str) -> None:
        """Register the node, which deletes its rows."""
        for row in await self._registry.register_node(self.facts):
            self._journal.row_removed(row.key, row.address, cause, None)
