"""How long LoadModel may take, and what is done with a process that takes longer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sim.routing.loading.free_process import stop_exact_process
from sim.routing.ports import FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig
from sim.routing.units import BYTES_PER_GIB, NS_PER_S

BASE_NS = 5 * 60 * NS_PER_S
PER_GIB_NS = 20 * NS_PER_S
LONGEST_NS = 6 * 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class LoadLimit:
    """One way to bound a load."""

    limit_ns: Callable[[ModelConfig], int]
    on_late: Callable[[FrontendPorts, ReplicaKey], Awaitable[None]]


def limit_by_size_ns(model: ModelConfig) -> int:
    """Return 5 minutes, plus 20 seconds for each GiB of files, but at most 6 hours."""
    return min(BASE_NS + PER_GIB_NS * model.disk_bytes // BYTES_PER_GIB, LONGEST_NS)


async def leave_alone(ports: FrontendPorts, key: ReplicaKey) -> None:
    """Let the process go on loading, though nobody waits for it any more."""


FIXED = LoadLimit(lambda _model: BASE_NS, leave_alone)
"""5 minutes, whatever the size: a large model never counts as loaded, and its process goes on loading."""

BY_SIZE = LoadLimit(limit_by_size_ns, stop_exact_process)
"""The limit grows with the size, and a late process is stopped. LocalAI's later way."""
