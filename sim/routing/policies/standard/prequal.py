"""The fastest replica that is not busier than usual, of a few that are drawn."""

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sim.routing.policies.limits import check_count, check_number
from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.least_in_flight import least_loaded
from sim.routing.policies.standard.rotation import name_of
from sim.routing.policies.standard.ties import TiesName, cheapest, drawn_tie_breaker

_REMEMBERED_LOADS = 128
_REMEMBERED_LATENCIES = 16
"""Of each replica at each number of requests in flight."""


@dataclass(frozen=True, slots=True)
class PrequalParameters:
    """The policy's keys in a scenario."""

    probes: int = 3
    """Replicas that are looked at for a request."""
    hot_quantile: float = 2**-0.25
    """Quantile of the loads seen lately; a replica whose load is there or above is hot."""
    ties: TiesName = "random"
    """Which of those that are equally fast, or equally loaded, gets the request."""

    def __post_init__(self) -> None:
        """Raise ValueError for a number or a quantile that is none."""
        check_count("probes", self.probes, 1)
        check_number("hot_quantile", self.hot_quantile, 0, 1)


class LatencyEstimate:
    """What one replica's requests took lately, by the number that was in flight when they were sent."""

    def __init__(self) -> None:
        self._recent_ns: dict[int, deque[int]] = {}

    def learn(self, in_flight: int, duration_ns: int) -> None:
        """Remember a request's time."""
        self._recent_ns.setdefault(in_flight, deque(maxlen=_REMEMBERED_LATENCIES)).append(duration_ns)

    def at(self, in_flight: int) -> float:
        """Return the median at this number in flight, or at the nearest known one; 0 if nothing is known.

        Of two that are equally near, the smaller number counts.
        """
        nearest = min(self._recent_ns, key=lambda known: (abs(known - in_flight), known), default=None)
        return 0.0 if nearest is None else float(median(self._recent_ns[nearest]))


class Prequal:
    """Takes, of some random replicas, the fastest one that is cold, or the least loaded if all are hot.

    The rule of hot and cold in lexicographic order: B. Wydrowski, R. Kleinberg, S. M. Rumble and A. Archer, "Load is
    not what you should balance: introducing Prequal", NSDI 2024. Published for hundreds of servers, it keeps a pool of
    answers to earlier probes. That pool makes no sense for a few replicas, so this is its synchronous form: the request
    looks at replicas itself, through the registry. Latencies are what this frontend has seen.
    """

    parameters = PrequalParameters

    def __init__(self, context: PolicyContext) -> None:
        self._keys: PrequalParameters = context.parameters
        self._random = context.random
        self._break_tie = drawn_tie_breaker(self._keys.ties, context.random)
        self._loads: deque[int] = deque(maxlen=_REMEMBERED_LOADS)
        """What the last looks saw in flight."""
        self._latencies: defaultdict[tuple[str, str, int], LatencyEstimate] = defaultdict(LatencyEstimate)
        """By model, node and index."""

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the best of those that are looked at."""
        looked_at = self._random.sample(replicas, min(self._keys.probes, len(replicas)))
        self._loads.extend(replica.in_flight for replica in looked_at)
        hot_from = quantile(self._loads, self._keys.hot_quantile)
        cold = [replica for replica in looked_at if replica.in_flight < hot_from]
        if cold:
            return self._break_tie(cheapest(cold, lambda replica: self._latency(request.model, replica)))
        return self._break_tie(least_loaded(looked_at))

    def ended(self, replica: ReplicaView, request: RequestView, outcome: str, duration_ns: int) -> None:
        """Learn from a request that was served."""
        if outcome == "completed":
            self._estimate(request.model, replica).learn(replica.in_flight, duration_ns)

    def _latency(self, model: str, replica: ReplicaView) -> float:
        return self._estimate(model, replica).at(replica.in_flight)

    def _estimate(self, model: str, replica: ReplicaView) -> LatencyEstimate:
        return self._latencies[model, *name_of(replica)]


def quantile(values: Sequence[int], share: float) -> int:
    """Return the smallest value that at least this share of the values do not exceed; 0 of none."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else 0
