"""Round robin over the replicas that were there at the start."""

from collections.abc import Sequence

from sim.routing.policies.port import ReplicaView, RequestView
from sim.routing.policies.standard.rotation import Rotation, name_of


class RoundRobinOfOld:
    """Takes in turn the replicas of the first list that it was given.

    The mistake: the list is never read again, so a replica that joins later gets nothing (grpc-node issue 1663).
    """

    def __init__(self) -> None:
        self._known: dict[str, set[tuple[str, int]]] = {}
        """Names of each model's replicas at the first request."""
        self._rotations: dict[str, Rotation] = {}

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the next of those known that are still there."""
        if request.model not in self._known:
            self._known[request.model] = {name_of(one) for one in replicas}
            self._rotations[request.model] = Rotation()
        known = self._known[request.model]
        return self._rotations[request.model].next([one for one in replicas if name_of(one) in known])
