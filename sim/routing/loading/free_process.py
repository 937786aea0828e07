"""How a worker is asked to free the VRAM of a replica whose row was deleted on purpose."""

from collections.abc import Awaitable, Callable

from sim.routing.ports import WorkerControl
from sim.routing.replica import ReplicaKey

NO_INDEX = -1

FreeProcess = Callable[[WorkerControl, ReplicaKey], Awaitable[None]]
"""Asks the worker to free the replica's VRAM. Raises Unavailable if the worker does not answer."""


async def unload_some_process(worker: WorkerControl, key: ReplicaKey) -> None:
    """Name node and model but no process: some process of the node drops its model, and none ends. LocalAI's way."""
    await worker.unload(key.node, key.model)


async def stop_by_model_name(worker: WorkerControl, key: ReplicaKey) -> None:
    """Ask for the model by its bare name, though workers list processes by model and index: none is found, none ends.

    LocalAI's way for a while after it had numbered its replicas.
    """
    await worker.stop(key._replace(replica_index=NO_INDEX))


async def stop_exact_process(worker: WorkerControl, key: ReplicaKey) -> None:
    """End the replica's own process. Repaired."""
    await worker.stop(key)
