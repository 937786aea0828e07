"""The worker control of a frontend without workers."""

from collections.abc import Sequence

from sim.routing.errors import NoReplica, Unavailable
from sim.routing.ports import RunningProcess
from sim.routing.replica import ReplicaKey


class NoWorkers:
    """Starts no process and knows of none: every call fails."""

    async def install(self, key: ReplicaKey) -> str:
        raise NoReplica(f"no replica of {key.model} can serve, and the frontend has no worker control to start one")

    async def stop(self, key: ReplicaKey) -> None:
        raise _no_worker(key.node)

    async def unload(self, node: str, model: str) -> None:
        raise _no_worker(node)

    async def processes(self, node: str) -> Sequence[RunningProcess]:
        raise _no_worker(node)


def _no_worker(node: str) -> Unavailable:
    return Unavailable(f"the frontend has no worker control to reach {node} with")
