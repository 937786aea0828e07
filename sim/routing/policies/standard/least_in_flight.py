"""The replica with the fewest requests in flight: "join the shortest queue", "least busy", "least connections"."""

from collections.abc import Sequence

from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.ties import TiesParameters, tie_breaker


def least_loaded(replicas: Sequence[ReplicaView]) -> list[ReplicaView]:
    """Return all replicas that have as few requests in flight as any, in their order."""
    least = min((replica.in_flight for replica in replicas), default=0)
    return [replica for replica in replicas if replica.in_flight == least]


class LeastInFlight:
    """Takes one of the least loaded replicas.

    Optimal for equal servers that serve first come, first served, with exponential service (W. Winston, "Optimality of
    the shortest line discipline", J. Appl. Prob. 14, 1977), as long as its figures are fresh.
    """

    parameters = TiesParameters

    def __init__(self, context: PolicyContext) -> None:
        self._break_tie = tie_breaker(context.parameters.ties, context.random)

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return a replica that has as few requests in flight as any."""
        return self._break_tie(least_loaded(replicas))
