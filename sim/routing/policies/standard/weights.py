"""How much a replica counts beside the others of its model: as the scenario says, or as its node has announced."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Literal

from sim.routing.policies.port import ReplicaView

Weights = Mapping[str, float] | Literal["capacity"]
"""The weight of each node's replicas, 1 for nodes that are not named; or the capacity of each replica."""


def check_weights(weights: Weights) -> None:
    """Raise ValueError for a number that is no weight."""
    if weights == "capacity":
        return
    for node, weight in weights.items():
        if not 1e-6 <= weight <= 1e6:
            raise ValueError(f"weights: found {weight:g} for {node}; allowed: from 1e-06 to 1e+06")


def weight_of(weights: Weights) -> Callable[[ReplicaView], float]:
    """Return what tells the weight of a replica."""
    if weights == "capacity":
        return attrgetter("capacity")
    return lambda replica: weights.get(replica.node, 1.0)
