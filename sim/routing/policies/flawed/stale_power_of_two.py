"""Power of two choices, of which one is remembered with its old figure."""

from collections.abc import Sequence

from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView


class StalePowerOfTwo:
    """Takes the less loaded of one replica that is drawn and one that is remembered: the winner of last time.

    A good policy if both figures are fresh (D. Shah and B. Prabhakar, "The use of memory in randomized load balancing",
    ISIT 2002). The mistake: the winner is remembered with the load that it had before it won, and nobody looks again.
    vLLM's router compared such a figure with a live one (router pull request 178).
    """

    def __init__(self, context: PolicyContext) -> None:
        self._random = context.random
        self._winners: dict[str, tuple[str, int]] = {}
        """By model: the row that won last time, and its requests in flight when it first did."""

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the remembered winner, unless the replica that is drawn has fewer in flight than it had."""
        if not replicas:
            return None
        drawn = self._random.choice(replicas)
        row, in_flight = self._winners.get(request.model, (drawn.id, drawn.in_flight))
        winner = next((one for one in replicas if one.id == row), None)
        if winner is None or drawn.in_flight < in_flight:
            winner, in_flight = drawn, drawn.in_flight
        self._winners[request.model] = winner.id, in_flight
        return winner
