"""The replica that would have the request done first, if its speed is known."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.ties import TiesName, cheapest, tie_breaker
from sim.routing.policies.standard.weights import Weights, check_weights, weight_of


@dataclass(frozen=True, slots=True)
class ShortestExpectedDelayParameters:
    """The policy's keys in a scenario."""

    weights: Weights = field(default_factory=dict)
    """Speed of each node's replicas, 1 for nodes that are not named; or `capacity`, for what the nodes announce."""
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
        self._weight_of = weight_of(context.parameters.weights)
        self._break_tie = tie_breaker(context.parameters.ties, context.random)

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return one of the replicas with the least delay."""
        return self._break_tie(cheapest(replicas, self._delay))

    def _delay(self, replica: ReplicaView) -> float:
        return (replica.in_flight + 1) / self._weight_of(replica)
