"""The replica that answered fast lately and has little to do, of two that are drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sim.routing.policies.limits import check_time
from sim.routing.policies.port import PolicyClock, PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.rotation import name_of
from sim.routing.policies.standard.ties import TiesName, cheapest, drawn_tie_breaker
from sim.routing.units import NS_PER_S

PENALTY_NS = float((1 << 63) - 1 >> 16)
"""Cost of a replica that has work and has never answered: more than any latency, so that others are tried first."""


@dataclass(frozen=True, slots=True)
class PeakEwmaParameters:
    """The policy's keys in a scenario."""

    decay_s: float = 10.0
    """Time in seconds in which what was seen comes to count for 1/e."""
    ties: TiesName = "random"
    """Which of two that cost the same gets the request."""

    def __post_init__(self) -> None:
        """Raise ValueError for a time that is none."""
        check_time("decay_s", self.decay_s)


class PeakCost:
    """One replica's latency in nanoseconds: a peak counts at once and in full, and is forgotten slowly."""

    def __init__(self, clock: PolicyClock, decay_ns: float) -> None:
        self._clock = clock
        self._decay_ns = decay_ns
        self._cost_ns = 0.0
        self._seen_ns = clock.now_ns()

    def observe(self, latency_ns: float) -> None:
        """Take a latency into account; 0 for no more than the time that has passed."""
        now_ns = self._clock.now_ns()
        kept = math.exp(-(now_ns - self._seen_ns) / self._decay_ns)
        is_peak = latency_ns > self._cost_ns
        self._cost_ns = latency_ns if is_peak else self._cost_ns * kept + latency_ns * (1 - kept)
        self._seen_ns = now_ns

    def load(self, in_flight: int) -> float:
        """Return what a request more would cost."""
        self.observe(0)
        if self._cost_ns == 0 and in_flight:
            return PENALTY_NS + in_flight
        return self._cost_ns * (in_flight + 1)


class PeakEwma:
    """Takes the cheaper of two random replicas, whose cost is latency times requests in flight.

    Twitter's Finagle, `PeakEwma` with the choice of two. Finagle counts what this client has under way; here it is what
    the registry counts for all frontends. The latency is that of whole requests, from `sent` to `ended`.
    """

    parameters = PeakEwmaParameters

    def __init__(self, context: PolicyContext) -> None:
        self._random = context.random
        self._break_tie = drawn_tie_breaker(context.parameters.ties, context.random)
        self._clock = context.clock
        self._decay_ns = context.parameters.decay_s * NS_PER_S
        self._costs: dict[tuple[str, str, int], PeakCost] = {}
        """By model, node and index."""

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the cheaper one."""
        drawn = self._random.sample(replicas, min(2, len(replicas)))
        return self._break_tie(cheapest(drawn, lambda replica: self._load(request.model, replica)))

    def ended(self, replica: ReplicaView, request: RequestView, outcome: str, duration_ns: int) -> None:
        """Learn from the time that the request took, however it ended."""
        self._cost(request.model, replica).observe(duration_ns)

    def _load(self, model: str, replica: ReplicaView) -> float:
        return self._cost(model, replica).load(replica.in_flight)

    def _cost(self, model: str, replica: ReplicaView) -> PeakCost:
        key = (model, *name_of(replica))
        if key not in self._costs:
            self._costs[key] = PeakCost(self._clock, self._decay_ns)
        return self._costs[key]
