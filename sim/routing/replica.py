"""Which replica serves a request: the one source of truth of the three-tier policy.

Order of preference: fewest requests in flight; then least recently used; then most free VRAM. A full tie goes to the
first in the input. SQL breaks it by the smallest row id instead, so a caller that lists its rows by id gets the
same choice from both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar


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


class Load(Protocol):
    """The three figures that the policy compares."""

    @property
    def in_flight(self) -> int:
        """Reservations and running requests, as the registry counts them."""

    @property
    def last_used_ns(self) -> int:
        """Instant of the last pick, on any one clock; unset times sort as the oldest."""

    @property
    def available_vram_bytes(self) -> int:
        """Free VRAM of the node."""


AnyLoad = TypeVar("AnyLoad", bound=Load)


def pick_best_replica(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """Return the least loaded replica, or None if there is none.

    One scan that keeps the incumbent unless the challenger is strictly better; nothing is copied or changed.
    """
    challengers = iter(replicas)
    best = next(challengers, None)
    if best is None:
        return None
    for challenger in challengers:
        # The first tier decides most comparisons; asking it here saves a call for each.
        if challenger.in_flight <= best.in_flight and is_better(challenger, best):
            best = challenger
    return best


def is_better(challenger: Load, incumbent: Load) -> bool:
    """Return whether the challenger is strictly less loaded than the incumbent: a strict weak order."""
    if challenger.in_flight != incumbent.in_flight:
        return challenger.in_flight < incumbent.in_flight
    if challenger.last_used_ns != incumbent.last_used_ns:
        return challenger.last_used_ns < incumbent.last_used_ns
    return challenger.available_vram_bytes > incumbent.available_vram_bytes
