"""What a pick asks of the registry: which rows count, and which of them it takes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sim.routing.replica import Replica, pick_best_replica

AnyReplica = TypeVar("AnyReplica", bound=Replica)

BEST_REPLICA = "best_replica"
"""Name of the order that `pick_best_replica` follows."""


class Choose(Protocol):
    """One pick's decision, which a registry carries out."""

    @property
    def nodes(self) -> Collection[str]:
        """Nodes whose rows count; empty for any node."""

    @property
    def order(self) -> str | None:
        """Name of an order whose first row is the choice, for a registry that can sort by it; None if there is none."""

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        """Return one of the replicas, which come by row id; None for none of them."""


@dataclass(frozen=True, slots=True)
class ChooseBest:
    """Takes the least loaded replica."""

    nodes: Collection[str] = ()
    order: str | None = BEST_REPLICA

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        """Return the best of the replicas."""
        return pick_best_replica(replicas)
