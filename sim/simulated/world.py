"""The simulated world of one run, put together from a scenario and its plan."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

from sim.routing.clients import Clients, Serve
from sim.routing.control_plane.background import Rank
from sim.routing.fleet import NodeFacts
from sim.routing.frontend import FrontendCore, build_frontend
from sim.routing.ports import Clock, FrontendPorts, Journal
from sim.routing.replica import ReplicaKey
from sim.routing.states import RowState
from sim.scenario import ModelSpec, NodeSpec, Plan, Scenario, service_law, stream
from sim.scenario.policies.making import policy_of
from sim.simulated.faults import build_faults
from sim.simulated.frontend_host import FrontendHost
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.interposed_runtime import SkewedRuntime
from sim.simulated.kernel.runtime import SimulatedRuntime, Tickets
from sim.simulated.nodes.backend import BackendProcess, ProcessSettings, SimulatedDialer
from sim.simulated.nodes.node_agent import NodeAgent
from sim.simulated.nodes.port_pool import PortPool
from sim.simulated.nodes.work_speed import FULL_SPEED, VariableSpeed, WorkSpeed
from sim.simulated.nodes.worker import FIRST_PORT, InstallSettings, NodeSettings, SimulatedWorkers, WorkerNode
from sim.simulated.progress import OverheardJournal, Progress
from sim.simulated.registry.database import Database
from sim.simulated.registry.load_jobs import SimulatedLoadJobs
from sim.simulated.registry.pick_modes import new_pick_mode
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import NodeRow, registered
from sim.simulated.stage import Stage

NewJournal = Callable[[Clock, Callable[[str], bool]], Journal]
"""Makes the journal from the run's clock and the truth: whether a process runs at an address."""


NO_FRONTEND = -1
"""Stands for a frontend's index where nodes, not a frontend, reach the registry."""


class World:
    """Nodes, registry, frontends and clients on one clock, and the faults that befall them."""

    def __init__(self, scenario: Scenario, plan: Plan, new_journal: NewJournal) -> None:
        self.runtime = SimulatedRuntime(_tickets(scenario))
        self._scenario = scenario
        self._plan = plan
        self._processes: dict[str, BackendProcess] = {}
        self.journal = new_journal(self.runtime, self._processes.__contains__)
        self._progress = Progress()
        if scenario.faults:
            self.journal = OverheardJournal(self.journal, self._progress)
        table = ReplicaTable(self.runtime, [self._node_row(node) for node in scenario.nodes])
        self.database = Database(self.runtime, table, scenario.registry.transaction_ns)
        self._registries: list[SimulatedLoadJobs] = []
        self._speeds = {node.name: VariableSpeed(self.runtime) for node in scenario.nodes} if scenario.faults else {}
        self._workers = SimulatedWorkers(
            self.runtime,
            self.journal,
            {node.name: self._worker_node(node) for node in scenario.nodes},
            self._install_settings,
            self._new_speed,
            self._processes,
            scenario.network.latency_ns,
        )
        self._models = scenario.configs_by_model()
        self._faults = build_faults(scenario)
        self._nodes_registry = self._ports(NO_FRONTEND).registry
        self._agents = {node.name: self._agent(node) for node in scenario.nodes}
        self._frontends = {
            index: FrontendHost(self.runtime, self.journal, partial(self._frontend, index))
            for index in range(scenario.frontends)
        }
        self._clients = Clients(
            self.runtime,
            self.journal,
            frontends={index: self._serve(index, host) for index, host in self._frontends.items()},
            models=[model.name for model in scenario.models],
            patience_ns=[workload.patience_ns for workload in scenario.workload],
        )

    @property
    def transactions(self) -> int:
        """How many the frontends and the nodes have begun."""
        return sum(registry.transactions for registry in self._registries)

    def run(self) -> None:
        """Run until every request has ended, or the limit on draining is reached.

        With loops or faults in the background the run lasts as long as the scenario at least, requests or none. Raises
        RuntimeError, a bug of ours, if all have ended and somebody still holds a place in a queue.
        """
        if self._scenario.control_plane is not None or self._faults:
            self._start_background()
        self._bring_up_replicas()
        self._start_clients()
        all_ended = self.runtime.run_tasks(self._scenario.duration_ns + self._scenario.drain_limit_ns)
        if (
            all_ended
            and not self.runtime.background
            and not self._faults
            and not all(queue.is_idle() for queue in self._queues())
        ):
            raise RuntimeError("all tasks have ended, and a worker slot or a lock is still held")

    def _queues(self) -> Iterator[FifoQueue]:
        for process in self._processes.values():
            yield process.workers
        for node in self._workers.nodes.values():
            yield from node.install_queues()
        yield from self.database.locks()

    def _start_clients(self) -> None:
        self.runtime.spawn(self._clients.send_as_planned(self._plan.open), "arrivals")
        for number, user in enumerate(self._plan.closed_users):
            self.runtime.spawn(self._clients.take_turns(user), f"user {number}")

    def _start_background(self) -> None:
        self.runtime.spawn(self._last(), "the scenario's time")
        stage = Stage(
            scenario=self._scenario,
            runtime=self.runtime,
            journal=self.journal,
            database=self.database,
            registry=self._nodes_registry,
            workers=self._workers,
            processes=self._processes,
            speeds=self._speeds,
            agents=self._agents,
            frontends=self._frontends,
            clients=self._clients,
            progress=self._progress,
        )
        for fault in self._faults:
            self.runtime.spawn_background(fault.happen(stage), "fault")
        for agent in self._agents.values():
            self.runtime.spawn_background(agent.beat_for_ever(), "heartbeats")
        for host in self._frontends.values():
            host.start_loops()

    async def _last(self) -> None:
        await self.runtime.sleep(self._scenario.duration_ns)

    def _bring_up_replicas(self) -> None:
        for model in self._scenario.models:
            for index, replica in model.numbered_replicas():
                key = ReplicaKey(replica.node, model.name, index)
                self.runtime.spawn(self._bring_up(key, replica.ready_at_ns), f"bring up {key}")

    async def _bring_up(self, key: ReplicaKey, ready_at_ns: int) -> None:
        if ready_at_ns:
            await self.runtime.sleep(ready_at_ns)
        node = self._workers.nodes[key.node]
        if not node.is_up or key in node.processes:
            return
        process = self._workers.start(key)
        process.hold(key.model)
        self.database.publish(key, process.address, 0, self.runtime.wall_ns(), RowState.LOADED)
        self.journal.row_published(key, "scenario")

    def _node_row(self, node: NodeSpec) -> NodeRow:
        return registered(_node_facts(node), FifoQueue(self.runtime, 1), self.runtime.wall_ns())

    def _worker_node(self, node: NodeSpec) -> WorkerNode:
        return WorkerNode(
            self.runtime,
            NodeSettings(node.name, node.vram_bytes, node.disk_bytes),
            _port_pool(self.runtime, self._scenario.router.control.ports),
            on_change=self._report_at_once,
            speed=self._speeds.get(node.name, FULL_SPEED),
        )

    def _report_at_once(self, node: str) -> None:
        """Tell the registry what a node has free where there are no heartbeats to do so."""
        worker = self._workers.nodes[node]
        if self._scenario.control_plane is not None or not worker.is_up:
            return
        available_bytes = self._agents[node].alter(worker.report()).available_vram_bytes
        if available_bytes is not None:
            self.database.table.report_vram(node, available_bytes)

    def _new_speed(self, key: ReplicaKey) -> WorkSpeed:
        return self._speeds[key.node].of_new_process() if self._speeds else FULL_SPEED

    def _install_settings(self, key: ReplicaKey) -> InstallSettings:
        model = next(model for model in self._scenario.models if model.name == key.model)
        node = next(node for node in self._scenario.nodes if node.name == key.node)
        return InstallSettings(
            _process_settings(model, node), model.backend.install_time_ns, model.vram_bytes, model.disk_bytes
        )

    def _agent(self, node: NodeSpec) -> NodeAgent:
        control_plane = self._scenario.control_plane
        heartbeat_ns = None if control_plane is None else control_plane.heartbeat_ns
        worker = self._workers.nodes[node.name]
        return NodeAgent(self.runtime, self.journal, self._nodes_registry, worker, _node_facts(node), heartbeat_ns)

    def _serve(self, index: int, host: FrontendHost) -> Serve:
        """Return what clients call; by way of the host only where something may happen to it."""
        if host.frontend is not None and not self._faults:
            return host.frontend.serve
        serve: Serve = host.serve
        for fault in self._faults:
            serve = fault.around_serve(index, serve)
        return serve

    def _frontend(self, index: int) -> FrontendCore:
        router, rank = self._scenario.router_of(index), Rank(index, self._scenario.frontends)
        return build_frontend(
            router.settings(),
            self._ports(index),
            self._models,
            self._scenario.loops(),
            rank,
            policy_of(router.policy, self._scenario.seed, index),
        )

    def _ports(self, index: int) -> FrontendPorts:
        clock: Clock = self.runtime
        for fault in self._faults:
            clock = fault.skew(index, clock)
        pick_ns = self._scenario.registry.pick_length_ns
        pick_mode = new_pick_mode(
            self._scenario.router_of(index).pick, self.database, pick_ns, self.journal.lock_waited
        )
        registry = SimulatedLoadJobs(self.runtime, clock, self.database, pick_mode, self.journal)
        self._registries.append(registry)
        ports = FrontendPorts(
            runtime=self.runtime if clock is self.runtime else SkewedRuntime(self.runtime, clock),
            registry=registry,
            dialer=SimulatedDialer(self.runtime, self._processes, self._scenario.network.latency_ns),
            worker=self._workers,
            journal=self.journal,
        )
        for fault in self._faults:
            ports = fault.around(index, ports)
        return ports


def _tickets(scenario: Scenario) -> Tickets:
    """Give the order among events of one instant: as scheduled, or shuffled by a stream of the run's own."""
    if scenario.tie_order == "fifo":
        return count()
    draw = stream(scenario.seed, "runtime", "events", "tie order").integers
    # The serial number in the low bits keeps tickets distinct when two draws are equal.
    return ((int(draw(1 << 62)) << 64) | serial for serial in count())


def _process_settings(model: ModelSpec, node: NodeSpec) -> ProcessSettings:
    return ProcessSettings(
        workers=model.backend.workers,
        health_waits_for_a_worker=model.backend.health == "serialized",
        load_time_ns=model.backend.load_time_ns,
        service_law=service_law(model.service, node),
        tells_first_token=model.service.has_prefill,
    )


def _node_facts(node: NodeSpec) -> NodeFacts:
    return NodeFacts(
        name=node.name,
        address=f"{node.name}:{FIRST_PORT}",
        slots=node.slots,
        total_vram_bytes=node.vram_bytes,
        total_disk_bytes=node.disk_bytes,
        labels=node.labels,
    )


def _port_pool(clock: Clock, ports: str) -> PortPool:
    if ports == "quarantine":
        return PortPool(clock, FIRST_PORT)
    return PortPool(clock, FIRST_PORT, quarantine_ns=0, affinity_ns=0)
