"""How a worker is asked to free the VRAM of a replica whose row was deleted on purpose."""

from collections.abc import Awaitable, Callable

from sim.routing.ports import FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.units import NS_PER_S

NO_INDEX = -1

UNLOAD_LIMIT_NS = 30 * NS_PER_S
"""How long a worker may take to answer that a process has dropped its model. All versions wait so long."""

STOP_LIMIT_NS = 10 * NS_PER_S
"""How long it may take to answer that it has ended a process."""

FreeProcess = Callable[[FrontendPorts, ReplicaKey], Awaitable[None]]
"""Asks the worker to free the replica's VRAM. Raises a CallError if the worker does not answer in time."""


async def unload_some_process(ports: FrontendPorts, key: ReplicaKey) -> None:
    """Name node and model but no process: some process of the node drops its model, and none ends. LocalAI's way."""
    await ports.runtime.within(UNLOAD_LIMIT_NS, ports.worker.unload(key.node, key.model))


async def stop_by_model_name(ports: FrontendPorts, key: ReplicaKey) -> None:
    """Ask for the model by its bare name, though workers list processes by model and index: none is found, none ends.

    LocalAI's way for a while after it had numbered its replicas.
    """
    await stop_exact_process(ports, key._replace(replica_index=NO_INDEX))


async def stop_exact_process(ports: FrontendPorts, key: ReplicaKey) -> None:
    """End the replica's own process. Repaired."""
    await ports.runtime.within(STOP_LIMIT_NS, ports.worker.stop(key))
