"""The faults of a scenario that can be done to real processes and a real registry."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sim.live.cluster.node_faults import NodeFaults
from sim.live.nodes.worker import LiveWorkers
from sim.live.registry.load_jobs import SqlLoadJobs
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import CallError
from sim.routing.fleet import NodeFacts, NodeStatus
from sim.routing.journal import tell_node_changed
from sim.routing.ports import Journal
from sim.routing.replica import ReplicaKey
from sim.scenario import Scenario
from sim.scenario.spec.faults import FaultSpec
from sim.scenario.spec.faults.frontend import MixedPolicyFault
from sim.scenario.spec.faults.network import ConnectionResetFault
from sim.scenario.spec.faults.node import (
    NodeCrashFault,
    NodeCrashLoopFault,
    NodeDrainFault,
    NodePauseFault,
    NodeReregisterFault,
)
from sim.scenario.spec.faults.registry import RowDeletedFault
from sim.scenario.spec.faults.replica import (
    ReplicaAnswersForFault,
    ReplicaExitFault,
    ReplicaForgetsModelFault,
    ReplicaHangFault,
    RowLostFault,
)


@dataclass(frozen=True, slots=True)
class LiveParts:
    """The parts of a live world that a fault acts on."""

    runtime: AsyncioRuntime
    journal: Journal
    registry: SqlLoadJobs
    workers: LiveWorkers
    nodes: NodeFaults
    facts: Mapping[str, NodeFacts]
    """What each node says of itself when it registers."""
    drain: str
    """How processes of a drained node end, from the router's settings."""

    async def register(self, node: str) -> None:
        """Register the node again, which deletes its rows."""
        removed = await self.registry.register_node(self.facts[node])
        tell_node_changed(self.journal, node, NodeStatus.HEALTHY, "reregistered", removed)


class LiveFaultRefused(ValueError):
    """The scenario has something that cannot be done for real; the message has a line for each."""


def check_faults(scenario: Scenario) -> None:
    """Raise LiveFaultRefused if a fault or a setting of the router exists only in a simulation."""
    allowed = ", ".join(sorted(_kind(spec) for spec in _INJECTORS))
    refused = [
        f"faults[{number}]: sim live cannot do {fault.kind}{_how(fault)}; allowed: {allowed}"
        for number, fault in enumerate(scenario.faults)
        if type(fault) not in _INJECTORS or _how(fault)
    ]
    node_status = scenario.router.control.node_status
    if node_status != "heeded":
        refused.append(f"router.control.node_status: sim live cannot do {node_status}; allowed: heeded")
    if refused:
        raise LiveFaultRefused("\n".join(refused))


async def inject(parts: LiveParts, fault: FaultSpec) -> None:
    """Apply the fault at its time. A process that does not run by then is unaffected."""
    inject_it = _INJECTORS[type(fault)]
    with suppress(CallError):
        await inject_it(parts, fault)


async def _node_crash(parts: LiveParts, fault: NodeCrashFault) -> None:
    await _at(parts, fault.at_ns)
    await _crash(parts, fault, fault.node)
    if fault.restart_after_ns is None:
        return
    await parts.runtime.sleep(fault.restart_after_ns)
    await _restart(parts, fault.node)


async def _node_crash_loop(parts: LiveParts, fault: NodeCrashLoopFault) -> None:
    for number in range(fault.times):
        await _at(parts, fault.at_ns + number * fault.every_ns)
        await _crash(parts, fault, fault.node)
        await parts.runtime.sleep(fault.down_ns)
        await _restart(parts, fault.node)


async def _node_pause(parts: LiveParts, fault: NodePauseFault) -> None:
    await _at(parts, fault.at_ns)
    parts.journal.fault_struck(fault.kind, fault.node)
    parts.nodes.pause(fault.node)
    try:
        await parts.runtime.sleep(fault.lasts_ns)
    finally:
        parts.nodes.resume(fault.node)


async def _node_drain(parts: LiveParts, fault: NodeDrainFault) -> None:
    await _at(parts, fault.at_ns)
    removed = await parts.registry.set_status(fault.node, NodeStatus.DRAINING)
    parts.journal.fault_struck(fault.kind, fault.node)
    tell_node_changed(parts.journal, fault.node, NodeStatus.DRAINING, fault.kind, removed)
    await _STOPS[parts.drain](parts.nodes, fault.node)
    if fault.returns_after_ns is not None:
        await _at(parts, fault.at_ns + fault.returns_after_ns)
        await parts.register(fault.node)


async def _node_reregister(parts: LiveParts, fault: NodeReregisterFault) -> None:
    await _at(parts, fault.at_ns)
    parts.journal.fault_struck(fault.kind, fault.node)
    await parts.register(fault.node)


async def _connection_reset(parts: LiveParts, fault: ConnectionResetFault) -> None:
    await _at(parts, fault.at_ns)
    parts.journal.fault_struck(fault.kind, fault.node)
    parts.nodes.reset_connections(fault.node)


async def _replica_exit(parts: LiveParts, fault: ReplicaExitFault) -> None:
    key = await _strike(parts, fault)
    parts.workers.kill(key, "exited")


async def _replica_hang(parts: LiveParts, fault: ReplicaHangFault) -> None:
    parts.workers.hang(await _strike(parts, fault))


async def _replica_forgets_model(parts: LiveParts, fault: ReplicaForgetsModelFault) -> None:
    parts.workers.drop_model(await _strike(parts, fault))


async def _replica_answers_for(parts: LiveParts, fault: ReplicaAnswersForFault) -> None:
    parts.workers.answer_for(await _strike(parts, fault), fault.other)


async def _row_lost(parts: LiveParts, fault: RowLostFault | RowDeletedFault) -> None:
    key = await _strike(parts, fault)
    row = next((row for row in (await parts.registry.fleet()).rows if row.key == key), None)
    if row is not None and await parts.registry.remove_row(row.id):
        parts.journal.row_removed(key, row.address, fault.kind, None)


async def _mixed_policy(parts: LiveParts, fault: MixedPolicyFault) -> None:
    # The frontend has its own router since it was started.
    parts.journal.fault_struck(fault.kind, f"frontend {fault.frontend}")


_STOPS: Mapping[str, Callable[[NodeFaults, str], Awaitable[None]]] = {
    "at_once": NodeFaults.stop_at_once,
    "when_idle": NodeFaults.stop_when_idle,
}

_INJECTORS: Mapping[type[Any], Callable[[LiveParts, Any], Awaitable[None]]] = {
    NodeCrashFault: _node_crash,
    NodeCrashLoopFault: _node_crash_loop,
    NodePauseFault: _node_pause,
    NodeDrainFault: _node_drain,
    NodeReregisterFault: _node_reregister,
    ConnectionResetFault: _connection_reset,
    ReplicaExitFault: _replica_exit,
    ReplicaHangFault: _replica_hang,
    ReplicaForgetsModelFault: _replica_forgets_model,
    ReplicaAnswersForFault: _replica_answers_for,
    RowLostFault: _row_lost,
    RowDeletedFault: _row_lost,
    MixedPolicyFault: _mixed_policy,
}
"""The function that applies each kind of fault."""


async def _at(parts: LiveParts, at_ns: int) -> None:
    await parts.runtime.sleep(max(0, at_ns - parts.runtime.now_ns()))


async def _strike(
    parts: LiveParts,
    fault: ReplicaExitFault
    | ReplicaHangFault
    | ReplicaForgetsModelFault
    | ReplicaAnswersForFault
    | RowLostFault
    | RowDeletedFault,
) -> ReplicaKey:
    key = ReplicaKey(fault.node, fault.model, fault.index)
    await _at(parts, fault.at_ns)
    parts.journal.fault_struck(fault.kind, str(key))
    return key


async def _crash(parts: LiveParts, fault: NodeCrashFault | NodeCrashLoopFault, node: str) -> None:
    parts.journal.fault_struck(fault.kind, node)
    parts.nodes.take_down(node)


async def _restart(parts: LiveParts, node: str) -> None:
    parts.nodes.bring_up(node)
    await parts.register(node)


def _how(fault: FaultSpec) -> str:
    """Return why the fault cannot be applied for real; empty if it can."""
    if isinstance(fault, ReplicaExitFault) and fault.when != "any":
        return f" with when: {fault.when}"
    if isinstance(fault, ReplicaHangFault) and fault.lasts_ns is not None:
        return " with lasts"
    return ""


def _kind(spec: type[Any]) -> str:
    return str(spec.model_fields["kind"].annotation.__args__[0])
