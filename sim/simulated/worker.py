"""Worker nodes: what really runs where, and the installs that start processes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

from sim.routing.errors import Unavailable
from sim.routing.ports import Journal
from sim.routing.replica import ReplicaKey
from sim.simulated.backend import BackendProcess, ProcessSettings
from sim.simulated.runtime import SimulatedRuntime

FIRST_PORT = 50051


@dataclass(frozen=True, slots=True)
class InstallSettings:
    """What it takes to start a model's process on a node."""

    process: ProcessSettings
    install_time_ns: int
    vram_bytes: int


class WorkerNode:
    """A machine: its processes, its ports and its VRAM."""

    def __init__(self, name: str, vram_bytes: int, report_vram: Callable[[str, int], None]) -> None:
        self.name = name
        self.addresses: dict[ReplicaKey, str] = {}
        self._vram_bytes = vram_bytes
        self._held_bytes: dict[ReplicaKey, int] = {}
        self._report_vram = report_vram
        self._ports = count(FIRST_PORT)

    def new_address(self, key: ReplicaKey) -> str:
        """Give the replica's process the next port."""
        self.addresses[key] = f"{self.name}:{next(self._ports)}"
        return self.addresses[key]

    def hold_vram(self, key: ReplicaKey, size_bytes: int) -> None:
        """Count the replica's model as held, and report what is left."""
        self._held_bytes[key] = size_bytes
        self._report_vram(self.name, self._vram_bytes - sum(self._held_bytes.values()))


class SimulatedWorkers:
    """All worker nodes behind the install call, and the truth about their processes, by address."""

    def __init__(
        self,
        runtime: SimulatedRuntime,
        journal: Journal,
        nodes: Mapping[str, WorkerNode],
        settings: Callable[[ReplicaKey], InstallSettings],
        processes: dict[str, BackendProcess],
        latency_ns: int,
    ) -> None:
        self._runtime = runtime
        self._journal = journal
        self._nodes = nodes
        self._settings = settings
        self._processes = processes
        self._latency_ns = latency_ns

    async def install(self, key: ReplicaKey) -> str:
        """Return the address of the replica's process: at once if it runs, else when it has been started."""
        await self._runtime.sleep(self._latency_ns)
        node = self._nodes.get(key.node)
        if node is None:
            raise Unavailable(f"no worker answers on {key.node}")
        address = node.addresses.get(key)
        self._journal.install_started(key, redundant=address is not None)
        if address is None:
            await self._runtime.sleep(self._settings(key).install_time_ns)
            address = self.start(key)
        await self._runtime.sleep(self._latency_ns)
        return address

    def start(self, key: ReplicaKey) -> str:
        """Start the replica's process now, with no model yet, and return its address."""
        node, settings = self._nodes[key.node], self._settings(key)
        address = node.new_address(key)
        self._processes[address] = BackendProcess(
            self._runtime,
            self._journal,
            key,
            settings.process,
            on_loaded=lambda: node.hold_vram(key, settings.vram_bytes),
        )
        return address
