"""Replicas: what names one, and what a registry's row shows of it."""

from dataclasses import dataclass
from typing import Final, NamedTuple

NULL: Final = 1 << 62
"""What a reading shows of a column that is NULL. It sorts after any count, size or time, and no count changes it."""


class ReplicaKey(NamedTuple):
    """What names a replica: the registry's rows, the counters and the worker's processes all go by it."""

    node: str
    model: str
    replica_index: int

    def __str__(self) -> str:
        """Read as `node#index`, for where the model is known from the context."""
        return f"{self.node}#{self.replica_index}"


@dataclass(slots=True)
class Replica:
    """A replica as a frontend reads it from the registry: who it is, and how loaded it looked at that moment."""

    id: str
    """Row id. The smallest id wins a full tie."""
    key: ReplicaKey
    address: str
    in_flight: int
    last_used_ns: int
    available_vram_bytes: int
    capacity: float = 1.0
    """How fast it serves beside the model's other replicas, as its node has announced; the row keeps it for life."""
