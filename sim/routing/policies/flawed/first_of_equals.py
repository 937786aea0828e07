"""Least busy, with the first of equals."""

from collections.abc import Sequence

from sim.routing.policies.port import ReplicaView, RequestView


class FirstOfEquals:
    """Takes the first replica with the fewest requests in flight.

    The mistake: idle replicas are all equal, so a fleet with little to do uses one of them. LiteLLM's least-busy
    routing did so (pull request 38746).
    """

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the first of the least loaded."""
        return min(replicas, key=lambda replica: replica.in_flight, default=None)
