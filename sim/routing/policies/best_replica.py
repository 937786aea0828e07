"""The policy of LocalAI's router: the least loaded replica, by three tiers."""

from collections.abc import Collection, Sequence

from sim.routing.policies.rows import RowPolicy
from sim.routing.replica import Replica, pick_best_replica
from sim.routing.request import Request


class BestReplica(RowPolicy):
    """Takes the best replica; it remembers nothing."""

    def choice(self, request: Request, nodes: Collection[str]) -> "BestReplicaChoice":
        """Return the choice of the best row on these nodes, or of all if there are none."""
        return BestReplicaChoice(nodes) if nodes else ANYWHERE


class BestReplicaChoice:
    """The best row of those it is shown."""

    __slots__ = ("nodes",)

    order: str | None = "best_replica"
    """The registry's own order is the same, so that SQL may choose in its stead."""

    def __init__(self, nodes: Collection[str] = ()) -> None:
        self.nodes = nodes

    def __call__(self, replicas: Sequence[Replica]) -> Replica | None:
        """Return the row to take, if there is any."""
        return pick_best_replica(replicas)


ANYWHERE = BestReplicaChoice()
"""The choice of every request that may go to any node."""
