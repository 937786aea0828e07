"""Faults of machines: what goes down with them, how slow they are, and what the registry hears of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from sim.routing.errors import CallError
from sim.routing.fleet import NodeReport
from sim.routing.states import NodeStatus
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
from sim.simulated.faults.base import Fault, Luck, Window
from sim.simulated.stage import Stage

CRASHED = "crashed"
"""Why a process ended that went down with its node."""

REREGISTERED = "reregistered"
"""Why a row was deleted that stood there when its node came back."""

DRAIN_POLL_NS = NS_PER_S
DRAIN_LIMIT_NS = 60 * NS_PER_S
"""How long a draining node waits for its requests."""


class NodeCrash(Fault):
    """A node goes down, and perhaps comes back."""

    def __init__(self, spec: NodeCrashFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Crash the node, and restart it when its time has come."""
        spec = self._spec
        restart_ns = None if spec.restart_after_ns is None else spec.at_ns + spec.restart_after_ns
        await _go_down(stage, spec.kind, spec.node, spec.at_ns, restart_ns)


class NodeGroupCrash(Fault):
    """Several nodes go down one shortly after the other, the first at `at`, in any order."""

    def __init__(self, spec: NodeGroupCrashFault, luck: Luck) -> None:
        self._spec = spec
        self._luck = luck

    async def happen(self, stage: Stage) -> None:
        """Draw who goes when, and let each go its way."""
        spec = self._spec
        falling = [spec.nodes[index] for index in self._luck.shuffled(len(spec.nodes))]
        delays_ns = [0, *sorted(self._luck.below(spec.within_ns + 1) for _ in falling[1:])]
        crashes_ns = [spec.at_ns + delay_ns for delay_ns in delays_ns]
        restarts_ns = self._restarts_ns(falling, crashes_ns)
        for node, crash_ns in zip(falling, crashes_ns, strict=True):
            stage.runtime.spawn(_go_down(stage, spec.kind, node, crash_ns, restarts_ns.get(node)), f"crash of {node}")

    def _restarts_ns(self, falling: list[str], crashes_ns: list[int]) -> dict[str, int]:
        after_ns = self._spec.restart_after_ns
        if after_ns is None:
            return {}
        return dict(zip(self._rising(falling), (crash_ns + after_ns for crash_ns in crashes_ns), strict=True))

    def _rising(self, falling: list[str]) -> list[str]:
        """Return the nodes in the order in which they come back."""
        if self._spec.restart_order == "same":
            return falling
        if self._spec.restart_order == "reversed":
            return falling[::-1]
        return [falling[index] for index in self._luck.shuffled(len(falling))]


class NodeCrashLoop(Fault):
    """A node goes down again and again."""

    def __init__(self, spec: NodeCrashLoopFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Crash the node and restart it, as often as it is to happen."""
        spec = self._spec
        for turn in range(spec.times):
            crash_ns = spec.at_ns + turn * spec.every_ns
            await _go_down(stage, spec.kind, spec.node, crash_ns, crash_ns + spec.down_ns)


class NodePause(Fault):
    """A node does nothing for a while: not its processes, not its worker, not its heartbeats."""

    def __init__(self, spec: NodePauseFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Stop the node, and let it go on."""
        speed = stage.speeds[self._spec.node]
        await stage.runtime.sleep(self._spec.at_ns)
        if not stage.workers.nodes[self._spec.node].is_up:
            return
        stage.journal.fault_struck(self._spec.kind, self._spec.node)
        speed.stop()
        await stage.runtime.sleep(self._spec.lasts_ns)
        speed.go()


class NodeSlow(Fault):
    """All work on a node takes longer."""

    def __init__(self, spec: NodeSlowFault, _luck: Luck) -> None:
        self._spec = spec
        self._factor = Fraction(str(spec.factor))

    async def happen(self, stage: Stage) -> None:
        """Slow the node down, and have it at its old speed again if the spell passes."""
        speed = stage.speeds[self._spec.node]
        await stage.runtime.sleep(self._spec.at_ns)
        stage.journal.fault_struck(self._spec.kind, self._spec.node)
        speed.slow_down(self._factor)
        if self._spec.lasts_ns is not None:
            await stage.runtime.sleep(self._spec.lasts_ns)
            speed.slow_down(1 / self._factor)


class NodeDrain(Fault):
    """A node is taken out of service by its operator."""

    def __init__(self, spec: NodeDrainFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Drain the node, stop its processes, and have it register again if it is to return.

        If the registry does not take the order, there is no drain.
        """
        spec = self._spec
        await stage.runtime.sleep(spec.at_ns)
        try:
            await self._drain(stage)
        except CallError:
            return
        await _WAITS[stage.scenario.router.control.drain](stage, spec.node)
        for key in list(stage.workers.nodes[spec.node].processes):
            stage.workers.end(key, "drained")
        if spec.returns_after_ns is not None:
            await _sleep_until(stage, spec.at_ns + spec.returns_after_ns)
            await stage.agents[spec.node].rejoin(REREGISTERED)

    async def _drain(self, stage: Stage) -> None:
        kind, node = self._spec.kind, self._spec.node
        removed = await stage.registry.set_status(node, NodeStatus.DRAINING)
        stage.journal.fault_struck(kind, node)
        stage.journal.node_changed(node, NodeStatus.DRAINING, kind)
        for row in removed:
            stage.journal.row_removed(row.key, row.address, kind, None)


class NodeReregister(Fault):
    """A running node registers once more."""

    def __init__(self, spec: NodeReregisterFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Have the node register, if it is up."""
        await stage.runtime.sleep(self._spec.at_ns)
        agent = stage.agents[self._spec.node]
        if agent.node.is_up:
            stage.journal.fault_struck(self._spec.kind, self._spec.node)
            await agent.rejoin(self._spec.kind)


class NodeVramReport(Fault):
    """A node reports free VRAM that it does not have, or hides what it has."""

    def __init__(self, spec: NodeVramReportFault, _luck: Luck) -> None:
        self._spec = spec
        self._window = Window(spec.at_ns, spec.lasts_ns)

    async def happen(self, stage: Stage) -> None:
        """Alter the reports; where there are no heartbeats, send one at each end of the window."""
        agent = stage.agents[self._spec.node]
        alter = agent.alter
        agent.alter = lambda report: self._altered(stage, alter(report))
        await stage.runtime.sleep(self._spec.at_ns)
        await agent.report()
        if self._spec.lasts_ns is not None:
            await _sleep_until(stage, self._spec.at_ns + self._spec.lasts_ns)
            await agent.report()

    def _altered(self, stage: Stage, report: NodeReport) -> NodeReport:
        if not self._window.holds(stage.runtime.now_ns()):
            return report
        stage.journal.fault_struck(self._spec.kind, self._spec.node)
        reported = self._spec.reports_bytes
        return replace(report, available_vram_bytes=None if reported == "unknown" else reported)


async def _go_down(stage: Stage, kind: str, node: str, crash_ns: int, restart_ns: int | None) -> None:
    """Crash the node at the one time and restart it at the other; nothing happens to one that is down already."""
    worker = stage.workers.nodes[node]
    await _sleep_until(stage, crash_ns)
    if not worker.is_up:
        return
    stage.journal.fault_struck(kind, node)
    worker.is_up = False
    for key in list(worker.processes):
        stage.workers.end(key, CRASHED)
    if restart_ns is not None:
        await _sleep_until(stage, restart_ns)
        worker.is_up = True
        worker.boots += 1
        # Not awaited: the registry may be slow to hear of it, and the next crash comes at its own time.
        stage.runtime.spawn(stage.agents[node].rejoin(REREGISTERED), f"{node} comes back")


async def _sleep_until(stage: Stage, time_ns: int) -> None:
    await stage.runtime.sleep(max(0, time_ns - stage.runtime.now_ns()))


async def _not_at_all(_stage: Stage, _node: str) -> None:
    """Go on at once: the rows, by which a worker tells what it still has to do, are gone already."""


async def _until_idle(stage: Stage, node: str) -> None:
    """Look now and then whether the node's processes are busy, as long as there is patience for it."""
    processes, give_up_ns = stage.workers.nodes[node].processes, stage.runtime.now_ns() + DRAIN_LIMIT_NS
    while stage.runtime.now_ns() < give_up_ns and any(process.is_busy for process in processes.values()):
        await stage.runtime.sleep(DRAIN_POLL_NS)


_WAITS: Mapping[str, Callable[[Stage, str], Awaitable[None]]] = {"at_once": _not_at_all, "when_idle": _until_idle}
"""What a draining node waits for, by `router.control.drain`."""

FAULTS: Mapping[type[Any], Callable[[Any, Luck], Fault]] = {
    NodeCrashFault: NodeCrash,
    NodePauseFault: NodePause,
    NodeSlowFault: NodeSlow,
    NodeDrainFault: NodeDrain,
    NodeReregisterFault: NodeReregister,
    NodeVramReportFault: NodeVramReport,
    NodeGroupCrashFault: NodeGroupCrash,
    NodeCrashLoopFault: NodeCrashLoop,
}
"""What makes each kind of spec into a fault, by the spec's class."""
