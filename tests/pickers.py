"""Policies as users write them, in a file of their own: one that is even, and two with a fault to be seen."""

from typing import Any


def first_row(replicas: Any) -> Any:
    """Always the first row: all requests land on one replica."""
    return replicas[0] if replicas else None


class PowerOfTwo:
    """The less loaded of two replicas drawn at random (M. Mitzenmacher, 2001)."""

    def __init__(self, context: Any) -> None:
        self.random = context.random

    def pick(self, replicas: Any, request: Any) -> Any:
        two = self.random.sample(replicas, min(2, len(replicas)))
        return min(two, key=lambda replica: replica.in_flight, default=None)


class ForgetfulRoundRobin:
    """In turn, over the replicas that were there at the first pick: later ones get nothing."""

    def __init__(self, context: Any) -> None:
        self.known: list[str] = []
        self.turn = 0

    def pick(self, replicas: Any, request: Any) -> Any:
        self.known = self.known or [replica.node for replica in replicas]
        there = [replica for replica in replicas if replica.node in self.known]
        self.turn += 1
        return there[self.turn % len(there)] if there else None


def beyond(replicas: Any, request: Any) -> Any:
    """Fails at the first request."""
    return replicas[len(replicas) + request.id]


def fastest(replicas: Any) -> Any:
    """Always the replica with the highest capacity."""
    return max(replicas, key=lambda replica: replica.capacity, default=None)
