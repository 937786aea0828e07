"""Each replica in its turn.

Three mistakes are common in it, and each is a scenario: a counter that starts at 0 in every frontend
(round_robin_in_step), a counter over a list that changes its order (round_robin_over_moving_list), and a list that is
never read again (late_replica_forgotten).
"""

from collections.abc import Sequence

from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.rotation import Rotation


class RoundRobin:
    """Takes each model's replicas in turn by name, from a random one on.

    gRPC starts at random for the same reason (grpc-java pull request 4462): frontends that start together do not go
    round in step.
    """

    def __init__(self, context: PolicyContext) -> None:
        self._random = context.random
        self._rotations: dict[str, Rotation] = {}

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the replica whose turn it is."""
        if not replicas:
            return None
        rotation = self._rotations.get(request.model)
        if rotation is None:
            rotation = self._rotations[request.model] = Rotation()
            rotation.moved_to(self._random.choice(replicas))
        return rotation.next(replicas)
