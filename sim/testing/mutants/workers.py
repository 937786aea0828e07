"""Slips in what a node does with its processes: stop, install, ports, drain."""

from sim.routing.replica import ReplicaKey
from sim.simulated.faults.node import _WAITS
from sim.simulated.nodes.port_pool import PortPool, _Release
from sim.simulated.nodes.worker import SimulatedWorkers
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
