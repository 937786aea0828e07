"""Round robin over a list that it changes itself."""

from collections.abc import Sequence

from sim.routing.policies.port import ReplicaView, RequestView


class RoundRobinByLastUse:
    """Counts requests, and takes the replica at that place of the list, the least recently used first.

    The mistake: each pick moves its replica to the end of the list, and the counter goes on as if nothing had moved. A
    table without ORDER BY hands out its rows in such an order: PostgreSQL writes an updated row to a new place. vLLM's
    router had to learn that a list may come in another order (production-stack pull request 916).
    """

    def __init__(self) -> None:
        self._turns: dict[str, int] = {}
        """Requests so far, by model."""

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the replica at the counter's place."""
        turn = self._turns.get(request.model, 0)
        self._turns[request.model] = turn + 1
        rows = sorted(replicas, key=lambda replica: replica.last_used_ns)
        return rows[turn % len(rows)] if rows else None
