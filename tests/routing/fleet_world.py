"""A small simulated fleet for tests of what keeps it in shape: real registry, workers and processes, and no scenario.

Set the world up, then `run` a story in it: outside a story no time passes. Nothing takes time unless it is told to.
"""

from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, cast

from sim.measure.recording.events import NODE_STATUSES, EventKind
from sim.measure.recording.records import MISSING
from sim.routing.errors import CallError
from sim.routing.fleet import Node, NodeFacts, NodeStatus, ReplicaRow, RowState
from sim.routing.ports import FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.scenario.spec.engines import HealthName
from sim.simulated.engines.fifo import FifoEngine
from sim.simulated.engines.port import EngineSettings
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.interposed_runtime import SkewedRuntime
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.backend import BackendProcess, Processes, ProcessSettings, SimulatedDialer
from sim.simulated.nodes.node_agent import NodeAgent
from sim.simulated.nodes.port_pool import PortPool
from sim.simulated.nodes.work_speed import VariableSpeed
from sim.simulated.nodes.worker import FIRST_PORT, InstallSettings, NodeSettings, SimulatedWorkers, WorkerNode
from sim.simulated.registry.database import SimulatedDatabase
from sim.simulated.registry.load_jobs import SimulatedLoadJobs
from sim.simulated.registry.pick_modes import SerialPick, hold_for
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import registered
from tests.drivers import FAR_NS, SECOND
from tests.recorders import recorder_by

MODEL = "m"


def as_drawn(_prompt_tokens: int, _output_tokens: int, demand_ns: int) -> tuple[int, int]:
    """Return the times of prefill and decode: a request takes its demand."""
    return 0, demand_ns


def one_worker(*, health: HealthName = "serialized", load_time_ns: int = 0) -> ProcessSettings:
    """Return what a process is like that serves one call at a time."""
    engine = EngineSettings(workers=1, health=health, service_law=as_drawn, has_prefill=False)
    return ProcessSettings(FifoEngine, engine, load_time_ns)


SERIALISING = InstallSettings(one_worker(), install_time_ns=0, vram_bytes=0, disk_bytes=0)
"""One call at a time, health calls included."""


class Told(NamedTuple):
    """What the journal was told of a row, a process, a node or a model."""

    kind: str
    about: str
    """A replica as node#index, a node, or a model."""
    detail: str
    """A node's status, by how many replicas a model was scaled, else empty."""
    cause: str


class AheadClock:
    """A frontend's clock, whose wall time is off by as much."""

    def __init__(self, runtime: SimulatedRuntime, ahead_ns: int) -> None:
        self._runtime = runtime
        self._ahead_ns = ahead_ns

    def now_ns(self) -> int:
        return self._runtime.now_ns()

    def wall_ns(self) -> int:
        return self._runtime.now_ns() + self._ahead_ns


class FleetWorld:
    """Nodes that registered at time 0, their processes, and one database."""

    def __init__(
        self,
        fleet: Sequence[NodeFacts],
        models: Mapping[str, InstallSettings] | None = None,
        *,
        heartbeat_ns: int | None = None,
        transaction_ns: int = 0,
        latency_ns: int = 0,
    ) -> None:
        """Models that are not named are SERIALISING. Without heartbeats, nodes report their VRAM as it changes.

        A node says nothing of where its first process is to listen, unless its facts do.
        """
        self.runtime = SimulatedRuntime()
        self.processes = Processes()
        self.journal = recorder_by(self.runtime, self.processes.__contains__)
        self.table = ReplicaTable(self.runtime, [registered(facts, self._lock(), 0) for facts in fleet])
        self.database = SimulatedDatabase(self.runtime, self.table, transaction_ns)
        self._models = models or {}
        self._heartbeat_ns = heartbeat_ns
        self._latency_ns = latency_ns
        self.workers = SimulatedWorkers(
            self.runtime,
            self.journal,
            {facts.name: self._worker(facts) for facts in fleet},
            settings=lambda key: self._models.get(key.model, SERIALISING),
            new_speed=lambda _key: VariableSpeed(self.runtime),
            processes=self.processes,
            latency_ns=latency_ns,
        )
        self.agents = {facts.name: self._agent(facts) for facts in fleet}

    def ports(self, clock_ahead_ns: int = 0) -> FrontendPorts:
        """Return what one more frontend reaches the world through."""
        clock = AheadClock(self.runtime, clock_ahead_ns)
        pick = SerialPick(self.database, hold_for(self.runtime, self.database.transaction_ns))
        return FrontendPorts(
            runtime=SkewedRuntime(self.runtime, clock),
            registry=SimulatedLoadJobs(self.runtime, clock, self.database, pick, self.journal),
            dialer=SimulatedDialer(self.runtime, self.processes, self._latency_ns),
            worker=self.workers,
            journal=self.journal,
        )

    def run(self, story: Coroutine[Any, Any, Any], until_ns: int = FAR_NS) -> Any:
        """Run the story to its end and return what it returns, or None if that takes too long. Once per world."""
        outcome: list[Any] = [None]

        async def tell() -> None:
            outcome[0] = await story

        for agent in self.agents.values():
            self.runtime.spawn_background(agent.beat_for_ever(), "heartbeats")
        self.runtime.spawn(tell(), "story")
        self.runtime.run_tasks(until_ns)
        return outcome[0]

    # Processes.

    def start(self, key: ReplicaKey) -> BackendProcess:
        """Have the replica's process run, with its model loaded."""
        process = self.workers.start(key)
        process.hold(key.model)
        return process

    def process(self, key: ReplicaKey) -> BackendProcess:
        """Return the replica's process."""
        return self.workers.nodes[key.node].processes[key]

    def keep_busy(self, key: ReplicaKey, for_ns: int) -> None:
        """Send the process a request that takes so long."""
        request = self.request(key.model, for_ns)

        async def call() -> None:
            with suppress(CallError):
                await self.process(key).predict(request)

        self.runtime.spawn_background(call(), f"keep {key} busy")

    def hang(self, key: ReplicaKey) -> None:
        """Have the process do nothing at all, as long as it is not resumed."""
        cast("VariableSpeed", self.process(key).speed).stop()

    def pause(self, node: str) -> None:
        """Have the node's worker do nothing at all: it takes calls, and does not answer them."""
        self.workers.nodes[node].speed = speed = VariableSpeed(self.runtime)
        speed.stop()

    def resume(self, key: ReplicaKey) -> None:
        """Have the process go on."""
        cast("VariableSpeed", self.process(key).speed).go()

    def kill(self, key: ReplicaKey) -> None:
        """End the process."""
        self.workers.end(key, "killed")

    def request(self, model: str = MODEL, demand_ns: int = 0) -> Request:
        """Return a request that has arrived now."""
        request = Request(len(self.journal.records.requests), model, 0, 0, self.runtime.now_ns(), 0, 0, demand_ns)
        self.journal.arrived(request)
        return request

    # The registry.

    def write_row(
        self,
        key: ReplicaKey,
        address: str = "",
        state: RowState = RowState.LOADED,
        *,
        in_flight: int = 0,
        last_used_ns: int = 0,
        updated_ns: int = 0,
    ) -> ReplicaRow:
        """Write the row in place of any of the same key. Its update is never older than its last use."""
        self.table.insert(key, address, in_flight, self._lock(), last_used_ns, state)
        self.table.rows[key].updated_ns = max(last_used_ns, updated_ns)
        self.database.loadable[key.model] = None
        return self.table.rows[key].as_read()

    def place(self, key: ReplicaKey, state: RowState = RowState.LOADED, **fields: int) -> ReplicaRow:
        """Start the replica's process and write the row that says where; other fields go to the row."""
        return self.write_row(key, self.start(key).address, state, **fields)

    def rows(self) -> list[ReplicaRow]:
        """Return the rows there are, by id."""
        return list(self.database.read().rows)

    def keys(self) -> list[str]:
        """Return which replicas have rows, as node#index by id."""
        return [str(row.key) for row in self.rows()]

    def node(self, name: str) -> Node:
        """Return the node's row."""
        return self.table.nodes[name].as_read()

    def set_status(self, node: str, status: NodeStatus) -> None:
        """Set the node's status, with what that does to its rows."""
        self.table.set_status(node, status)

    # The journal.

    def told(self, *kinds: str) -> list[Told]:
        """Return what the journal was told of these kinds, such as row_removed, or of all, in order."""
        return [told for _, told in self._told() if not kinds or told.kind in kinds]

    def times_s(self, kind: str) -> list[float]:
        """Return when the journal was told of that kind."""
        return [at_ns / SECOND for at_ns, told in self._told() if told.kind == kind]

    def _told(self) -> list[tuple[int, Told]]:
        records = self.journal.records
        keys, causes, subjects = list(records.replicas), [*records.causes, ""], list(records.subjects)
        columns = ("t_ns", "kind", "replica", "subject", "flag", "cause")
        return [
            (
                t_ns,
                Told(
                    EventKind(kind).name.lower(),
                    str(keys[replica]) if replica != MISSING else subjects[subject],
                    _detail(EventKind(kind), flag),
                    causes[cause],
                ),
            )
            for t_ns, kind, replica, subject, flag, cause in zip(
                *(records.events[column].tolist() for column in columns), strict=True
            )
        ]

    def _lock(self) -> FifoQueue:
        return FifoQueue(self.runtime, 1)

    def _worker(self, facts: NodeFacts) -> WorkerNode:
        settings = NodeSettings(facts.name, facts.total_vram_bytes, facts.total_disk_bytes)
        return WorkerNode(self.runtime, settings, PortPool(self.runtime, FIRST_PORT), self._report_at_once)

    def _report_at_once(self, node: str) -> None:
        available_bytes = self.workers.nodes[node].report().available_vram_bytes
        if self._heartbeat_ns is None and available_bytes is not None:
            self.table.report_vram(node, available_bytes)

    def _agent(self, facts: NodeFacts) -> NodeAgent:
        node, registry = self.workers.nodes[facts.name], self.ports().registry
        return NodeAgent(self.runtime, self.journal, registry, node, facts, self._heartbeat_ns)


def _detail(kind: EventKind, flag: int) -> str:
    if kind is EventKind.NODE_CHANGED:
        return NODE_STATUSES[flag].value
    return str(flag) if kind is EventKind.SCALED else ""


def nodes(*names: str, slots: int = 1, vram_bytes: int = 0) -> list[NodeFacts]:
    """Return nodes that are alike."""
    return [NodeFacts(name, slots=slots, total_vram_bytes=vram_bytes) for name in names]
