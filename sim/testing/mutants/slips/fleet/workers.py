"""Slips in what a node does with its processes: stop, install, ports, disk, drain."""

from contextlib import suppress
from itertools import chain

from sim.routing.errors import CallError
from sim.routing.fleet import NodeReport
from sim.routing.replica import ReplicaKey
from sim.simulated.faults.node import _WAITS
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.nodes.backend import BackendProcess
from sim.simulated.nodes.node_agent import RETRY_NS, NodeAgent
from sim.simulated.nodes.port_pool import PortPool, _Release
from sim.simulated.nodes.settings import INSTALL_QUEUES
from sim.simulated.nodes.worker import READY_LIMIT_NS, SimulatedWorkers, WorkerNode
from sim.testing.mutants.mutant import Mutant, in_place_of

_WORKERS = "sim.simulated.nodes.worker:SimulatedWorkers"


@in_place_of(f"{_WORKERS}.stop", "orphan_process")
async def stop_ends_nothing(self: SimulatedWorkers, key: ReplicaKey) -> None:
    """A worker that is told to stop a process lets it go on."""


@in_place_of(f"{_WORKERS}.unload", "unload_frees_wrong_process")
async def unload_frees_the_right_process(self: SimulatedWorkers, node: str, model: str) -> None:
    """An unload by model finds a process of that model, where LocalAI's takes any."""
    for process in self.nodes[node].processes.values():
        if process.model == model:
            process.hold(None)
            return


@in_place_of("sim.simulated.nodes.port_pool:PortPool.release", "wrong_model_on_recycled_port")
def port_is_free_at_once(self: PortPool, key: ReplicaKey) -> None:
    """A port may be given away as soon as its process has ended."""
    released_ns = self._clock.now_ns() - max(self._quarantine_ns, self._affinity_ns)
    self._released[self._held.pop(key)] = _Release(released_ns, key)


drain_does_not_wait = Mutant(
    "drain_does_not_wait",
    "sim.simulated.faults.node:_WAITS",
    "A drained node stops its processes at once, where it should wait until they are idle.",
    {**_WAITS, "when_idle": _WAITS["at_once"]},
    ("drain_cuts_requests",),
)


@in_place_of("sim.simulated.nodes.port_pool:PortPool.take", "ports_by_hand")
def process_has_no_port_of_its_own(self: PortPool, key: ReplicaKey) -> int:
    """A process that comes back gets whichever port is free."""
    claimants = self._claimants_of_free_ports()
    unclaimed = (port for port, claimant in claimants.items() if claimant is None)
    port = next(chain(unclaimed, self._unused, claimants))
    self._hold(key, port)
    return port


@in_place_of("sim.simulated.nodes.port_pool:PortPool.take", "ports_by_hand")
def port_of_another_comes_before_a_new_one(self: PortPool, key: ReplicaKey) -> int:
    """A new process gets a port that is kept for another one, although there are new ones."""
    claimants = self._claimants_of_free_ports()
    own = (port for port, claimant in claimants.items() if claimant == key)
    port = next(chain(own, claimants, self._unused))
    self._hold(key, port)
    return port


_remove = WorkerNode.remove


@in_place_of("sim.simulated.nodes.worker:WorkerNode.remove", "disks_by_hand")
def files_go_with_their_process(self: WorkerNode, key: ReplicaKey) -> BackendProcess:
    """The files of a model leave the disk when its process ends."""
    self._disk_bytes.pop(key.model, None)
    return _remove(self, key)


process_has_less_than_its_time = Mutant(
    "process_has_less_than_its_time",
    "sim.simulated.nodes.worker:READY_LIMIT_NS",
    "A process that is well just in time is given up: `>=` for `>`.",
    READY_LIMIT_NS - 1,
    ("workers_by_hand",),
)


@in_place_of("sim.simulated.nodes.node_agent:NodeAgent.rejoin", "workers_by_hand")
async def node_registers_though_it_is_down(self: NodeAgent, cause: str) -> None:
    """A node that could not register tries again although it has gone down meanwhile, or has come up anew."""
    while True:
        await self.node.speed.moving()
        with suppress(CallError):
            await self.register(cause)
            return
        await self._runtime.sleep(RETRY_NS)


@in_place_of("sim.simulated.nodes.node_agent:NodeAgent.rejoin", "workers_by_hand")
async def node_registers_once(self: NodeAgent, cause: str) -> None:
    """A node that comes back when the registry does not answer does not try again."""
    if self.node.is_up and not self.gags:
        with suppress(CallError):
            await self.register(cause)


@in_place_of(f"{_WORKERS}._there", "workers_by_hand")
async def worker_answers_though_it_stands_still(self: SimulatedWorkers, node: str) -> None:
    """A worker whose node stands still takes calls at once."""
    await self._runtime.sleep(self._latency_ns)
    self._node(node)


@in_place_of("sim.simulated.nodes.worker:WorkerNode.changed", "places_by_hand")
def end_is_not_reported(self: WorkerNode) -> None:
    """The registry does not hear of the VRAM that a process frees with its end."""


@in_place_of("sim.simulated.nodes.worker:WorkerNode.report", "places_by_hand")
def empty_process_holds_vram(self: WorkerNode) -> NodeReport:
    """A process counts with the VRAM of its model although it holds none any more."""
    held = sum(self._vram_bytes[key.model] for key in self.processes)
    disk_bytes = max(0, self._free_disk_bytes) if self._settings.disk_bytes else None
    return NodeReport(available_vram_bytes=self._settings.vram_bytes - held, available_disk_bytes=disk_bytes)


@in_place_of("sim.simulated.nodes.worker:WorkerNode.install_queue", "queues_by_hand")
def two_are_installed_at_a_time(self: WorkerNode, backend: str) -> FifoQueue:
    """Two processes of one queue are installed at a time."""
    return self._installs.setdefault(self._queue_of(backend), FifoQueue(self._runtime, 2))


backends_do_not_wait_for_each_other = Mutant(
    "backends_do_not_wait_for_each_other",
    "sim.simulated.nodes.settings:INSTALL_QUEUES",
    "A node installs several backends side by side where it should one after the other.",
    {**INSTALL_QUEUES, "one_by_one": INSTALL_QUEUES["by_backend"]},
    ("queues_by_hand",),
)


@in_place_of("sim.simulated.nodes.port_pool:PortPool._claimants_of_free_ports", "rests_by_hand")
def port_rests_to_the_very_end(self: PortPool) -> dict[int, ReplicaKey | None]:
    """A port still rests at the very instant at which its rest is over: `>` for `>=`."""
    now_ns = self._clock.now_ns()
    return {
        port: release.claimant if now_ns - release.at_ns < self._affinity_ns else None
        for port, release in sorted(self._released.items())
        if now_ns - release.at_ns > self._quarantine_ns
    }


@in_place_of("sim.simulated.nodes.port_pool:PortPool._claimants_of_free_ports", "rests_by_hand")
def port_is_kept_to_the_very_end(self: PortPool) -> dict[int, ReplicaKey | None]:
    """A port is still kept for its last owner at the very instant at which that is over: `<=` for `<`."""
    now_ns = self._clock.now_ns()
    return {
        port: release.claimant if now_ns - release.at_ns <= self._affinity_ns else None
        for port, release in sorted(self._released.items())
        if now_ns - release.at_ns >= self._quarantine_ns
    }
