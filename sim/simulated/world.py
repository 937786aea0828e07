"""The simulated world of one run, put together from a scenario and its plan."""

from collections.abc import Callable, Iterator
from itertools import count

from sim.routing.clients import Clients
from sim.routing.frontend import Frontend, build_frontend
from sim.routing.ports import Clock, Journal
from sim.routing.replica import ReplicaKey
from sim.scenario import ModelSpec, NodeSpec, Plan, Scenario, service_law, stream
from sim.simulated.backend import BackendProcess, ProcessSettings, SimulatedDialer
from sim.simulated.fifo_queue import FifoQueue
from sim.simulated.pick_modes import LockedPick, PickMode, ReadCommittedPick, SerialPick
from sim.simulated.registry import SimulatedRegistry
from sim.simulated.replica_table import NodeRow, ReplicaTable
from sim.simulated.runtime import SimulatedRuntime, Tickets
from sim.simulated.worker import InstallSettings, SimulatedWorkers, WorkerNode

NewJournal = Callable[[Clock, Callable[[str], bool]], Journal]
"""Makes the journal from the run's clock and the truth: whether a process runs at an address."""


class World:
    """Nodes, registry, frontends and clients on one clock."""

    def __init__(self, scenario: Scenario, plan: Plan, new_journal: NewJournal) -> None:
        self.runtime = SimulatedRuntime(_tickets(scenario))
        self._scenario = scenario
        self._processes: dict[str, BackendProcess] = {}
        self.journal = new_journal(self.runtime, self._processes.__contains__)
        self._table = ReplicaTable(self.runtime, [self._node_row(node) for node in scenario.nodes])
        self.registry = SimulatedRegistry(
            self.runtime, self._table, self._pick_mode(), scenario.registry.transaction_ns, self.journal
        )
        self._workers = SimulatedWorkers(
            self.runtime,
            self.journal,
            {node.name: WorkerNode(node.name, node.vram_bytes, self._table.report_vram) for node in scenario.nodes},
            self._install_settings,
            self._processes,
            scenario.network.latency_ns,
        )
        self._plan = plan
        self._clients = Clients(
            self.runtime,
            self.journal,
            frontends={index: self._frontend().serve for index in range(scenario.frontends)},
            models=[model.name for model in scenario.models],
            patience_ns=[workload.patience_ns for workload in scenario.workload],
        )

    def run(self) -> None:
        """Run until every request has ended, or the limit on draining is reached.

        Raises RuntimeError, a bug of ours, if all have ended and somebody still holds a place in a queue.
        """
        self._bring_up_replicas()
        self._start_clients()
        all_ended = self.runtime.run_tasks(self._scenario.duration_ns + self._scenario.drain_limit_ns)
        if all_ended and not all(queue.is_idle() for queue in self._queues()):
            raise RuntimeError("all tasks have ended, and a worker slot or a lock is still held")

    def _queues(self) -> Iterator[FifoQueue]:
        for process in self._processes.values():
            yield process.workers
        yield from self.registry.locks()

    def _start_clients(self) -> None:
        self.runtime.spawn(self._clients.send_as_planned(self._plan.open), "arrivals")
        for number, user in enumerate(self._plan.closed_users):
            self.runtime.spawn(self._clients.take_turns(user), f"user {number}")

    def _bring_up_replicas(self) -> None:
        for model in self._scenario.models:
            for node, index, ready_at_ns in model.numbered_replicas():
                key = ReplicaKey(node, model.name, index)
                self.runtime.spawn(self._bring_up(key, ready_at_ns), f"bring up {key}")

    async def _bring_up(self, key: ReplicaKey, ready_at_ns: int) -> None:
        if ready_at_ns:
            await self.runtime.sleep(ready_at_ns)
        address = self._workers.start(key)
        self._processes[address].hold(key.model)
        self._table.insert(key, address, in_flight=0, lock=FifoQueue(self.runtime, 1))
        self.journal.row_published(key, "scenario")

    def _node_row(self, node: NodeSpec) -> NodeRow:
        return NodeRow(node.name, node.slots, node.vram_bytes, FifoQueue(self.runtime, 1))

    def _pick_mode(self) -> PickMode:
        transaction_ns = self._scenario.registry.transaction_ns
        if self._scenario.router.pick == "serial" or not transaction_ns:
            return SerialPick(self.runtime, self._table, transaction_ns)
        read_committed = ReadCommittedPick(self.runtime, self._table, transaction_ns, self.journal.lock_waited)
        if self._scenario.router.pick == "read_committed":
            return read_committed
        return LockedPick(self.runtime, read_committed, self.journal.lock_waited)

    def _install_settings(self, key: ReplicaKey) -> InstallSettings:
        model = next(model for model in self._scenario.models if model.name == key.model)
        node = next(node for node in self._scenario.nodes if node.name == key.node)
        return InstallSettings(_process_settings(model, node), model.backend.install_time_ns, model.vram_bytes)

    def _frontend(self) -> Frontend:
        scenario = self._scenario
        return build_frontend(
            settings=scenario.router,
            runtime=self.runtime,
            registry=self.registry,
            dialer=SimulatedDialer(self.runtime, self._processes, scenario.network.latency_ns),
            worker=self._workers,
            journal=self.journal,
            needed_vram_bytes={model.name: model.vram_bytes for model in scenario.models},
        )


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
