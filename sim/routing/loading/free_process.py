"""What is asked of a worker once a replica's row has been deleted on purpose, so that its VRAM is free again."""

from collections.abc import Awaitable, Callable

from sim.routing.ports import WorkerControl
from sim.routing.replica import ReplicaKey

Release = Callable[[WorkerControl, ReplicaKey], Awaitable[None]]
"""Asks the worker to let go of the replica's model. Raises Unavailable if the worker does not answer."""


async def unload_some_process(worker: WorkerControl, key: ReplicaKey) -> None:
    """Name the node and the model but no process: any one of the node's is emptied, and none ends. LocalAI's way."""
    await worker.unload(key.node, key.model)


async def stop_exact_process(worker: WorkerControl, key: ReplicaKey) -> None:
    """End the replica's own process. Repaired."""
    await worker.stop(key)
