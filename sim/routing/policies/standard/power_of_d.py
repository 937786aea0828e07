"""The least loaded of a few replicas that are drawn at random: "power of two choices"."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.routing.policies.limits import check_count
from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.least_in_flight import least_loaded
from sim.routing.policies.standard.ties import TiesName, tie_breaker


@dataclass(frozen=True, slots=True)
class PowerOfDParameters:
    """The policy's keys in a scenario."""

    d: int = 2
    """Number of draws."""
    replacement: bool = False
    """Whether one replica may be drawn more than once."""
    ties: TiesName = "random"
    """Which of the least loaded that were drawn gets the request."""

    def __post_init__(self) -> None:
        """Raise ValueError if nothing would be drawn."""
        check_count("d", self.d, 1)


class PowerOfD:
    """Takes the least loaded of d replicas that are drawn for the request.

    M. Mitzenmacher, "The power of two choices in randomized load balancing", IEEE TPDS 12(10), 2001, draws with
    replacement; NGINX, HAProxy and most routers of today draw two different ones.
    """

    parameters = PowerOfDParameters

    def __init__(self, context: PolicyContext) -> None:
        self._random = context.random
        self._d = context.parameters.d
        self._draw = self._with_replacement if context.parameters.replacement else self._without_replacement
        self._break_tie = tie_breaker(context.parameters.ties, context.random)

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return one of the least loaded of those that are drawn."""
        if not replicas:
            return None
        drawn = set(self._draw(range(len(replicas))))
        return self._break_tie(least_loaded([replicas[place] for place in sorted(drawn)]))

    def _with_replacement(self, places: range) -> list[int]:
        return self._random.choices(places, k=self._d)

    def _without_replacement(self, places: range) -> list[int]:
        return self._random.sample(places, min(self._d, len(places)))
