"""A draw in which a replica's weight counts for less the more requests it has: Envoy's least request policy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from sim.routing.policies.limits import check_number
from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.slow_start import Newcomers, weight_share
from sim.routing.policies.standard.weights import Weights, check_weights, weight_of
from sim.routing.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class WeightedLeastRequestParameters:
    """The policy's keys in a scenario."""

    weights: Weights = field(default_factory=dict)
    """Weight of each node's replicas, 1 for nodes that are not named; or `capacity`, for what the nodes announce."""
    active_request_bias: float = 1.0
    """How much requests in flight count: not at all if 0."""
    slow_start_s: float = 0.0
    """Time in seconds in which a new replica comes to its full weight."""
    aggression: float = 1.0
    """How fast it does: evenly if 1, and faster at first if more."""
    min_weight: float = 0.1
    """The part of its weight that a new replica has at least."""

    def __post_init__(self) -> None:
        """Raise ValueError for what is no weight, no time, or no exponent."""
        check_weights(self.weights)
        check_number("active_request_bias", self.active_request_bias, 0, 100)
        check_number("slow_start_s", self.slow_start_s, 0, 1e6)
        check_number("aggression", self.aggression, 0.01, 100)
        check_number("min_weight", self.min_weight, 0.001, 1)


def effective_weight(weight: float, in_flight: int, active_request_bias: float) -> float:
    """Return `weight / (in_flight + 1)^active_request_bias`, by which a replica is drawn."""
    return weight / math.pow(in_flight + 1, active_request_bias)


class WeightedLeastRequest:
    """Draws a replica with a chance in proportion to its effective weight.

    Envoy, `LeastRequest` (v3), for hosts whose weights differ; for equal weights it is `power_of_d` there. Envoy goes
    by a schedule (earliest deadline first) in place of draws, with the same shares.
    """

    parameters = WeightedLeastRequestParameters

    def __init__(self, context: PolicyContext) -> None:
        self._keys: WeightedLeastRequestParameters = context.parameters
        self._weight_of = weight_of(self._keys.weights)
        self._window_ns = round(self._keys.slow_start_s * NS_PER_S)
        self._clock = context.clock
        self._random = context.random
        self._newcomers = Newcomers()

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the replica that is drawn."""
        ages_ns = self._newcomers.ages_ns(request.model, replicas, self._clock.now_ns())
        weights = [self._weight(replica, age_ns) for replica, age_ns in zip(replicas, ages_ns, strict=True)]
        return self._random.choices(replicas, weights)[0] if replicas else None

    def _weight(self, replica: ReplicaView, age_ns: int) -> float:
        keys = self._keys
        share = weight_share(age_ns, self._window_ns, keys.aggression, keys.min_weight)
        return effective_weight(self._weight_of(replica) * share, replica.in_flight, keys.active_request_bias)
