"""Which of several equally good replicas is taken: the first, one at random, or each in its turn.

It matters more than it seems: on a fleet with little to do nearly every choice is a tie.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sim.routing.policies.port import Random, ReplicaView
from sim.routing.policies.standard.rotation import Rotation

TiesName = Literal["first", "random", "rotate"]

BreakTie = Callable[[Sequence[ReplicaView]], ReplicaView | None]
"""Takes one of the replicas; None of none."""


@dataclass(frozen=True, slots=True)
class TiesParameters:
    """The keys of a policy that has no other."""

    ties: TiesName = "random"
    """Which of equals gets the request."""


def tie_breaker(name: TiesName, random: Random) -> BreakTie:
    """Return the rule of that name. It expects replicas in the registry's order, and has a memory if it needs one."""
    return _RULES[name](random)


def cheapest(replicas: Sequence[ReplicaView], cost_of: Callable[[ReplicaView], float]) -> list[ReplicaView]:
    """Return the replicas that cost as little as any, in their order."""
    costs = [cost_of(replica) for replica in replicas]
    least = min(costs, default=0.0)
    return [replica for replica, cost in zip(replicas, costs, strict=True) if cost == least]


def drawn_tie_breaker(name: TiesName, random: Random) -> BreakTie:
    """Return the rule of that name for replicas that were drawn at random.

    `random` takes the one drawn first, since the draw was random already.
    """
    if name == "random":
        return _first
    break_tie = tie_breaker(name, random)
    return lambda drawn: break_tie(sorted(drawn, key=lambda one: one.id))


def _first(replicas: Sequence[ReplicaView]) -> ReplicaView | None:
    return replicas[0] if replicas else None


def _at_random(random: Random) -> BreakTie:
    return lambda replicas: random.choice(replicas) if replicas else None


_RULES: Final[Mapping[TiesName, Callable[[Random], BreakTie]]] = {
    "first": lambda _random: _first,
    "random": _at_random,
    "rotate": lambda _random: Rotation().next,
}
