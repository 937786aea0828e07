"""Round robin over a list that it changes itself."""

from collections.abc import Sequence

from sim.routing.policies.flawed.round_robin_from_first import RoundRobinFromFirst
from sim.routing.policies.port import ReplicaView, RequestView


class RoundRobinByLastUse(RoundRobinFromFirst):
    """Counts requests, and takes the replica at that place of the list, the least recently used first.

    The mistake: each pick moves its replica to the end of the list, and the counter goes on as if nothing had moved. A
    table without ORDER BY hands out its rows in such an order: PostgreSQL writes an updated row to a new place. vLLM's
    router had to learn that a list may come in another order (production-stack pull request 916).
    """

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the replica at the counter's place."""
        return super().pick(sorted(replicas, key=lambda replica: replica.last_used_ns), request)
