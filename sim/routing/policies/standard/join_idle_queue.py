"""An idle replica if there is one, and else any."""

from collections.abc import Sequence

from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.ties import TiesParameters, tie_breaker


class JoinIdleQueue:
    """Takes one of the idle replicas, or a random one of all if none is idle.

    Y. Lu, Q. Xie, G. Kliot, A. Geller, J. Larus and A. Greenberg, "Join-Idle-Queue: a novel load balancing algorithm
    for dynamically scalable web services", Performance Evaluation 68(11), 2011, with a random choice among queues that
    are not idle. There, idle servers announce themselves to one dispatcher; here, every frontend reads the registry.
    """

    parameters = TiesParameters

    def __init__(self, context: PolicyContext) -> None:
        self._break_tie = tie_breaker(context.parameters.ties, context.random)
        self._any_of = tie_breaker("random", context.random)

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return an idle replica if there is one."""
        idle = [replica for replica in replicas if replica.in_flight == 0]
        return self._break_tie(idle) if idle else self._any_of(replicas)
