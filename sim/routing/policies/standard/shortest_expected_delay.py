"""The replica that would have the request done first, if its speed is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sim.routing.policies.limits import check_weights
from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.ties import TiesName, tie_breaker


@dataclass(frozen=True, slots=True)
class ShortestExpectedDelayParameters:
    """The policy's keys in a scenario."""

    weights: Mapping[str, float] = field(default_factory=dict)
    """Speed of each node's replicas; 1 for nodes that are not named."""
    ties: TiesName = "random"
    """Which of the equally good gets the request."""

    def __post_init__(self) -> None:
        """Raise ValueError for what is no weight."""
        check_weights(self.weights)


class ShortestExpectedDelay:
    """Takes the replica with the least `(in flight + 1) / weight`.

    The `sed` scheduler of Linux Virtual Server. With equal weights it is `least_in_flight`.
    """

    parameters = ShortestExpectedDelayParameters

    def __init__(self, context: PolicyContext) -> None:
        self._weights: Mapping[str, float] = context.parameters.weights
        self._break_tie = tie_breaker(context.parameters.ties, context.random)

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return one of the replicas with the least delay."""
        delays = [(replica.in_flight + 1) / self._weights.get(replica.node, 1.0) for replica in replicas]
        least = min(delays, default=0.0)
        return self._break_tie([one for one, delay in zip(replicas, delays, strict=True) if delay == least])
