"""Faults of machines: what goes down with them, how slow they are, and what the registry hears of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from sim.routing.errors import CallError
from sim.routing.fleet import NodeReport, NodeStatus
from sim.routing.journal import tell_node_changed
from sim.routing.units import NS_PER_S
from sim.scenario.spec.faults.node import (
    NodeCrashFault,
    NodeCrashLoopFault,
    NodeDrainFault,
    NodeGroupCrashFault,
    NodePauseFault,
    NodeReregisterFault,
    NodeSlowFault,
    NodeVramReportFault,
)
from sim.simulated.faults.base import Fault, LastingFault, SomeSpec, effect_of
from sim.simulated.parts import Parts

CRASHED = "crashed"
"""Cause of the end of a process whose node went down."""

REREGISTERED = "reregistered"
"""Cause of the deletion of rows that a node still had when it registered again."""

DRAIN_POLL_NS = NS_PER_S
DRAIN_LIMIT_NS = 60 * NS_PER_S
"""Longest time that a draining node waits for its requests."""


Spec = TypeVar("Spec", bound=SomeSpec)


class _Crash(Fault[Spec]):
    """A fault that takes nodes down and brings them up again."""

    async def go_down(self, node: str, crash_ns: int, restart_ns: int | None) -> None:
        """Crash the node at `crash_ns` and restart it at `restart_ns`. Do nothing if the node is already down."""
        parts, worker = self.parts, self.parts.workers.nodes[node]
        await self.sleep_until(crash_ns)
        if not worker.is_up:
            return
        self.struck(node)
        worker.is_up = False
        for key in list(worker.processes):
            parts.workers.end(key, CRASHED)
        if restart_ns is not None:
            await self.sleep_until(restart_ns)
            worker.is_up = True
            worker.boots += 1
            # Not awaited: the registry may be slow to hear of it, and the next crash comes at its own time.
            parts.runtime.spawn(parts.agents[node].rejoin(REREGISTERED), f"{node} comes back")


@effect_of(NodeCrashFault)
class NodeCrash(_Crash[NodeCrashFault]):
    """A node goes down, and perhaps comes back."""

    async def happen(self) -> None:
        spec = self.spec
        restart_ns = None if spec.restart_after_ns is None else spec.at_ns + spec.restart_after_ns
        await self.go_down(spec.node, spec.at_ns, restart_ns)


@effect_of(NodeGroupCrashFault)
class NodeGroupCrash(_Crash[NodeGroupCrashFault]):
    """Several nodes go down shortly after one another, in random order, the first of them at `at`."""

    async def happen(self) -> None:
        """Draw when each node goes down, and let them do so independently."""
        spec = self.spec
        falling = [spec.nodes[index] for index in self.luck.shuffled(len(spec.nodes))]
        delays_ns = [0, *sorted(self.luck.below(spec.within_ns + 1) for _ in falling[1:])]
        crashes_ns = [spec.at_ns + delay_ns for delay_ns in delays_ns]
        restarts_ns = self._restarts_ns(falling, crashes_ns)
        for node, crash_ns in zip(falling, crashes_ns, strict=True):
            self.parts.runtime.spawn(self.go_down(node, crash_ns, restarts_ns.get(node)), f"crash of {node}")

    def _restarts_ns(self, falling: list[str], crashes_ns: list[int]) -> dict[str, int]:
        after_ns = self.spec.restart_after_ns
        if after_ns is None:
            return {}
        return dict(zip(self._rising(falling), (crash_ns + after_ns for crash_ns in crashes_ns), strict=True))

    def _rising(self, falling: list[str]) -> list[str]:
        """Return the nodes in the order in which they come back."""
        if self.spec.restart_order == "same":
            return falling
        if self.spec.restart_order == "reversed":
            return falling[::-1]
        return [falling[index] for index in self.luck.shuffled(len(falling))]


@effect_of(NodeCrashLoopFault)
class NodeCrashLoop(_Crash[NodeCrashLoopFault]):
    """A node goes down again and again."""

    async def happen(self) -> None:
        spec = self.spec
        for turn in range(spec.times):
            crash_ns = spec.at_ns + turn * spec.every_ns
            await self.go_down(spec.node, crash_ns, crash_ns + spec.down_ns)


@effect_of(NodePauseFault)
class NodePause(Fault[NodePauseFault]):
    """A node stands still for a while, with its processes, its worker and its heartbeats."""

    async def happen(self) -> None:
        runtime, speed = self.parts.runtime, self.parts.speeds[self.spec.node]
        await runtime.sleep(self.spec.at_ns)
        if not self.parts.workers.nodes[self.spec.node].is_up:
            return
        self.struck(self.spec.node)
        speed.stop()
        await runtime.sleep(self.spec.lasts_ns)
        speed.go()


@effect_of(NodeSlowFault)
class NodeSlow(Fault[NodeSlowFault]):
    """All work on a node takes longer."""

    async def happen(self) -> None:
        runtime, speed, factor = self.parts.runtime, self.parts.speeds[self.spec.node], Fraction(str(self.spec.factor))
        await runtime.sleep(self.spec.at_ns)
        self.struck(self.spec.node)
        speed.slow_down(factor)
        if self.spec.lasts_ns is not None:
            await runtime.sleep(self.spec.lasts_ns)
            speed.slow_down(1 / factor)


@effect_of(NodeDrainFault)
class NodeDrain(Fault[NodeDrainFault]):
    """A node is taken out of service by its operator."""

    async def happen(self) -> None:
        """Drain the node, stop its processes, and have it register again if it is to return.

        If the registry does not take the order, there is no drain.
        """
        spec, parts = self.spec, self.parts
        await parts.runtime.sleep(spec.at_ns)
        try:
            removed = await parts.agents[spec.node].drain()
        except CallError:
            return
        self.struck(spec.node)
        tell_node_changed(parts.journal, spec.node, NodeStatus.DRAINING, spec.kind, removed)
        await _WAITS[parts.scenario.router.control.drain](parts, spec.node)
        for key in list(parts.workers.nodes[spec.node].processes):
            parts.workers.end(key, "drained")
        if spec.returns_after_ns is not None:
            await self.sleep_until(spec.at_ns + spec.returns_after_ns)
            await parts.agents[spec.node].rejoin(REREGISTERED)


@effect_of(NodeReregisterFault)
class NodeReregister(Fault[NodeReregisterFault]):
    """A running node registers once more."""

    async def happen(self) -> None:
        await self.parts.runtime.sleep(self.spec.at_ns)
        agent = self.parts.agents[self.spec.node]
        if agent.node.is_up:
            self.struck(self.spec.node)
            await agent.rejoin(self.spec.kind)


@effect_of(NodeVramReportFault)
class NodeVramReport(LastingFault[NodeVramReportFault]):
    """A node reports free VRAM that it does not have, or hides what it has."""

    async def happen(self) -> None:
        """Alter the reports. Where there are no heartbeats, send one when the fault begins and one when it ends."""
        agent = self.parts.agents[self.spec.node]
        alter = agent.alter
        agent.alter = lambda report: self._altered(alter(report))
        await self.parts.runtime.sleep(self.spec.at_ns)
        await agent.report()
        if self.spec.lasts_ns is not None:
            await self.sleep_until(self.spec.at_ns + self.spec.lasts_ns)
            await agent.report()

    def _altered(self, report: NodeReport) -> NodeReport:
        if not self.is_active():
            return report
        self.struck(self.spec.node)
        reported = self.spec.reports_bytes
        return replace(report, available_vram_bytes=None if reported == "unknown" else reported)


async def _not_at_all(_parts: Parts, _node: str) -> None:
    """Do not wait: the worker sees its requests by the node's rows, and these have been deleted."""


async def _until_idle(parts: Parts, node: str) -> None:
    """Poll until no process of the node is busy, up to a limit."""
    processes, give_up_ns = parts.workers.nodes[node].processes, parts.runtime.now_ns() + DRAIN_LIMIT_NS
    while parts.runtime.now_ns() < give_up_ns and any(process.is_busy for process in processes.values()):
        await parts.runtime.sleep(DRAIN_POLL_NS)


_WAITS: Mapping[str, Callable[[Parts, str], Awaitable[None]]] = {"at_once": _not_at_all, "when_idle": _until_idle}
"""What a draining node waits for, by `router.control.drain`."""
