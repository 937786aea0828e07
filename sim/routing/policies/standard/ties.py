"""Which of several equally good replicas is taken: the first, one at random, or each in its turn.

It matters more than it seems: on a fleet with little to do nearly every choice is a tie.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from sim.routing.policies.port import Random, ReplicaView
from sim.routing.policies.standard.rotation import Rotation

TiesName = Literal["first", "random", "rotate"]

BreakTie = Callable[[Sequence[ReplicaView]], ReplicaView | None]
"""Takes one of the replicas, which come in the registry's order; None of none."""


def tie_breaker(name: TiesName, random: Random) -> BreakTie:
    """Return the rule of that name, with a memory of its own if it needs one."""
    return _RULES[name](random)


def _first(replicas: Sequence[ReplicaView]) -> ReplicaView | None:
    return replicas[0] if replicas else None


def _at_random(random: Random) -> BreakTie:
    return lambda replicas: random.choice(replicas) if replicas else None


_RULES: Final[Mapping[TiesName, Callable[[Random], BreakTie]]] = {
    "first": lambda _random: _first,
    "random": _at_random,
    "rotate": lambda _random: Rotation().next,
}
