"""A replica at random: the policy that knows nothing, and the least that any other should be better than."""

from collections.abc import Sequence

from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView


class AtRandom:
    """Sends each request to a replica that is drawn for it alone, all with the same chance."""

    def __init__(self, context: PolicyContext) -> None:
        self._random = context.random

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return any of the replicas."""
        return self._random.choice(replicas) if replicas else None
