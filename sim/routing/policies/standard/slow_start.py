"""How much of its weight a replica has while it is new."""

import math
from collections.abc import Sequence

from sim.routing.policies.port import ReplicaView
from sim.routing.units import NS_PER_S

_LONG_AGO_NS = -(1 << 62)


def weight_share(age_ns: int, window_ns: int, aggression: float, least: float) -> float:
    """Return the part of its weight that a replica of this age has: all of it after the window.

    `max(least, (max(age, 1 s) / window)^(1 / aggression))`: Envoy, "Slow start mode", 1.31.
    """
    if age_ns >= window_ns:
        return 1.0
    return min(1.0, max(least, math.pow(max(age_ns, NS_PER_S) / window_ns, 1 / aggression)))


class Newcomers:
    """Remembers since when each replica has been there. Those that are there at the first look are not new."""

    def __init__(self) -> None:
        self._since_ns: dict[str, dict[str, int]] = {}
        """By model: when each row was first seen, by its id."""

    def ages_ns(self, model: str, replicas: Sequence[ReplicaView], now_ns: int) -> list[int]:
        """Return how long each of the model's replicas has been there."""
        first_seen_ns = now_ns if model in self._since_ns else _LONG_AGO_NS
        before = self._since_ns.get(model, {})
        self._since_ns[model] = {one.id: before.get(one.id, first_seen_ns) for one in replicas}
        return [now_ns - since_ns for since_ns in self._since_ns[model].values()]
