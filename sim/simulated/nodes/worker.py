"""Worker nodes: which processes run where, and the calls that start and end them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sim.routing.errors import Unavailable
from sim.routing.fleet import NodeReport
from sim.routing.ports import Journal, RunningProcess
from sim.routing.replica import ReplicaKey
from sim.routing.units import NS_PER_S
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.backend import BackendProcess, LoadFailure, Processes, ProcessSettings
from sim.simulated.nodes.port_pool import PortPool
from sim.simulated.nodes.work_speed import FULL_SPEED, WorkSpeed

FIRST_PORT = 50051

READY_LIMIT_NS = 30 * NS_PER_S
"""How long a new process may take to become healthy, before its worker gives it up."""


QueueOf = Callable[[str], str]
"""Names the queue in which an install of the backend waits; each queue is served one by one."""


def own_queue(backend: str) -> str:
    """Return a queue of the backend's own."""
    return backend


def common_queue(_backend: str) -> str:
    """Return one queue for all backends, so that each install waits for whatever is installed."""
    return "all"


@dataclass(frozen=True, slots=True)
class InstallSettings:
    """The settings of a model's processes on a node."""

    process: ProcessSettings
    install_time_ns: int
    vram_bytes: int
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The capacities of a machine."""

    name: str
    vram_bytes: int
    disk_bytes: int


class WorkerNode:
    """A machine: its processes, its ports, its VRAM and its disk."""

    def __init__(
        self,
        runtime: SimulatedRuntime,
        settings: NodeSettings,
        ports: PortPool,
        on_change: Callable[[str], None],
        speed: WorkSpeed = FULL_SPEED,
        queue_of: QueueOf = own_queue,
    ) -> None:
        self.name = settings.name
        self.speed = speed
        """Speed of the machine itself, its worker included."""
        self.is_up = True
        self.boots = 1
        """Number of times it has come up."""
        self.processes: dict[ReplicaKey, BackendProcess] = {}
        """Processes in the order of their starts."""
        self._runtime = runtime
        self._settings = settings
        self._ports = ports
        self._queue_of = queue_of
        self._on_change = on_change
        self._vram_bytes: dict[str, int] = {}
        self._disk_bytes: dict[str, int] = {}
        self._installs: dict[str, FifoQueue] = {}

    def install_queue(self, backend: str) -> FifoQueue:
        """Return the queue in which installs of the backend wait."""
        return self._installs.setdefault(self._queue_of(backend), FifoQueue(self._runtime, 1))

    def install_queues(self) -> Sequence[FifoQueue]:
        """Return all install queues."""
        return list(self._installs.values())

    def new_address(self, key: ReplicaKey) -> str:
        """Return an address with a port for the replica's process."""
        return f"{self.name}:{self._ports.take(key)}"

    def add(self, process: BackendProcess, settings: InstallSettings) -> None:
        """Add a running process. The files of its model stay on the disk for good."""
        self._vram_bytes[process.key.model] = settings.vram_bytes
        self._disk_bytes[process.key.model] = settings.disk_bytes
        self.processes[process.key] = process

    def remove(self, key: ReplicaKey) -> BackendProcess:
        """Remove a process that has ended."""
        process = self.processes.pop(key)
        self._ports.release(key)
        self.changed()
        return process

    def disk_failure(self, model: str, load_time_ns: int) -> LoadFailure | None:
        """Return how a load of the model fails: its files are fetched until the disk is full. None if they fit."""
        size_bytes = self._disk_bytes[model]
        room_bytes = max(0, self._free_disk_bytes + size_bytes)
        if not self._settings.disk_bytes or size_bytes <= room_bytes:
            return None
        return LoadFailure("disk_full", load_time_ns * room_bytes // size_bytes)

    @property
    def _free_disk_bytes(self) -> int:
        """Below 0 if loads have begun that do not fit."""
        return self._settings.disk_bytes - sum(self._disk_bytes.values())

    def changed(self) -> None:
        """Report that a process has taken or freed VRAM."""
        self._on_change(self.name)

    def report(self) -> NodeReport:
        """Return what a heartbeat says."""
        held = (process.key.model for process in self.processes.values() if process.model is not None)
        return NodeReport(
            available_vram_bytes=self._settings.vram_bytes - sum(self._vram_bytes[model] for model in held),
            available_disk_bytes=max(0, self._free_disk_bytes) if self._settings.disk_bytes else None,
        )


class SimulatedWorkers:
    """All worker nodes behind their calls, and the truth about their processes, by address."""

    def __init__(
        self,
        runtime: SimulatedRuntime,
        journal: Journal,
        nodes: Mapping[str, WorkerNode],
        settings: Callable[[ReplicaKey], InstallSettings],
        new_speed: Callable[[ReplicaKey], WorkSpeed],
        processes: Processes,
        latency_ns: int,
    ) -> None:
        self.nodes = nodes
        self.start_time_ns: Callable[[ReplicaKey], int] = lambda _key: 0
        """How long a process takes to become healthy after its start. Faults change it."""
        self.load_failure: Callable[[ReplicaKey], LoadFailure | None] = lambda _key: None
        """Why a process's next load fails, if it does. Faults change it."""
        self._runtime = runtime
        self._journal = journal
        self._settings = settings
        self._new_speed = new_speed
        self._processes = processes
        self._latency_ns = latency_ns

    async def install(self, key: ReplicaKey) -> str:
        """Return the address of the replica's process, at once if it runs, else when it is healthy."""
        await self._there(key.node)
        queue = self._node(key.node).install_queue(key.model)
        await queue.acquire()
        try:
            address = await self._install(key)
        finally:
            queue.release()
        await self._runtime.sleep(self._latency_ns)
        return address

    async def stop(self, key: ReplicaKey) -> None:
        """End the replica's process, if it runs."""
        await self._there(key.node)
        if key in self._node(key.node).processes:
            self.end(key, "stopped")

    async def unload(self, node: str, model: str) -> None:
        """Make the first process that the worker knows drop its model."""
        await self._there(node)
        process = next(iter(self._node(node).processes.values()), None)
        if process is not None:
            process.hold(None)

    async def processes(self, node: str) -> Sequence[RunningProcess]:
        """List the processes of the node."""
        await self._there(node)
        running = [RunningProcess(key, process.address) for key, process in self._node(node).processes.items()]
        await self._runtime.sleep(self._latency_ns)
        return running

    def start(self, key: ReplicaKey) -> BackendProcess:
        """Start the replica's process now, with no model yet."""
        node, settings = self.nodes[key.node], self._settings(key)
        process = BackendProcess(
            self._runtime,
            self._journal,
            key,
            node.new_address(key),
            settings.process,
            self._new_speed(key),
            next_load_failure=lambda: (
                self.load_failure(key) or node.disk_failure(key.model, settings.process.load_time_ns)
            ),
            on_change=node.changed,
        )
        node.add(process, settings)
        self._processes[process.address] = process
        return process

    def end(self, key: ReplicaKey, cause: str) -> None:
        """End the replica's process, which must run. Its callers get Unavailable."""
        process = self.nodes[key.node].remove(key)
        del self._processes[process.address]
        self._journal.process_ended(key, process.address, cause)
        process.end(cause)

    async def _install(self, key: ReplicaKey) -> str:
        node = self._node(key.node)
        running, boots = node.processes.get(key), node.boots
        self._journal.install_started(key, redundant=running is not None)
        if running is not None:
            return running.address
        await node.speed.work(self._settings(key).install_time_ns)
        start_time_ns = self.start_time_ns(key)
        if start_time_ns:
            await node.speed.work(min(start_time_ns, READY_LIMIT_NS))
        if self._node(key.node).boots != boots:
            raise Unavailable(f"{key.node} has been down meanwhile")
        if start_time_ns > READY_LIMIT_NS:
            raise Unavailable(f"the process of {key} was not well within {READY_LIMIT_NS} ns of its start")
        # The scenario may have brought it up meanwhile.
        return (node.processes.get(key) or self.start(key)).address

    async def _there(self, node: str) -> None:
        await self._runtime.sleep(self._latency_ns)
        await self._node(node).speed.moving()

    def _node(self, name: str) -> WorkerNode:
        node = self.nodes.get(name)
        if node is None or not node.is_up:
            raise Unavailable(f"no worker answers on {name}")
        return node
