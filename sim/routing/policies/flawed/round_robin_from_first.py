"""Round robin with a counter that starts at 0."""

from collections.abc import Sequence

from sim.routing.policies.port import ReplicaView, RequestView


class RoundRobinFromFirst:
    """Counts requests, and takes the replica at that place of the list.

    The mistake: every frontend counts from 0, so frontends that start together go round in step, and the first round of
    all of them lands on one replica (Kubernetes issue 3640).
    """

    def __init__(self) -> None:
        self._turns: dict[str, int] = {}
        """Requests so far, by model."""

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the next in the list."""
        turn = self._turns.get(request.model, 0)
        self._turns[request.model] = turn + 1
        return replicas[turn % len(replicas)] if replicas else None
