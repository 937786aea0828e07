"""A policy's decision: the replicas that it could take, their figures as it saw them, and what told them apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from sim.measure.facts import TIES_TO_FIRST, RunFacts
from sim.routing.replica import Replica


class Seen(NamedTuple):
    """A replica as the decision saw it."""

    replica: str
    """Its label."""
    row: str
    """Id of its row; the smallest id wins a full tie."""
    in_flight: int
    last_used_ns: int
    """On the wall clock of the frontend that wrote it."""
    available_vram_bytes: int
    capacity: float = 1.0
    """As its node has announced it."""

    @classmethod
    def of(cls, row: Replica, facts: RunFacts) -> "Seen":
        """Copy the row, which changes afterwards."""
        figures = (row.in_flight, row.last_used_ns, row.available_vram_bytes, row.capacity)
        return cls(facts.label(row.key), row.id, *figures)


class Figure(Enum):
    """What replicas are compared by; each value is a field of `Seen`, and whether less of it is better."""

    IN_FLIGHT = ("in_flight", True)
    LAST_USED = ("last_used_ns", True)
    FREE_VRAM = ("available_vram_bytes", False)

    def key(self, seen: Seen) -> int:
        """Return what is smallest for the best replica."""
        field, less_is_better = self.value
        value: int = getattr(seen, field)
        return value if less_is_better else -value


class Rank(NamedTuple):
    """Where a replica stands among all, in one figure."""

    place: int
    """From 1: one more than the number of those that are better."""
    equals: int
    """How many others have the same."""


class Rule(Enum):
    """What a decision was made by."""

    ONLY_ONE = "only_one"
    """There was no other."""
    IN_FLIGHT = "in_flight"
    LAST_USED = "last_used"
    FREE_VRAM = "free_vram"
    FIRST = "first"
    """All figures were equal, and the first row in the registry's order won."""
    TIES = "ties"
    """All figures were equal, and another rule for ties than the first row took it."""
    OWN = "own"
    """The policy's own rule, of which only the outcome can be seen."""
    NONE = "none"
    """It took none of them."""


ORDERS: Mapping[str, Sequence[Figure]] = {
    "best_replica": (Figure.IN_FLIGHT, Figure.LAST_USED, Figure.FREE_VRAM),
    "in_flight_then_vram": (Figure.IN_FLIGHT, Figure.FREE_VRAM),
}
"""The policies that compare one figure after the other, and then go by their rule for ties."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice of a policy among rows as one statement saw them."""

    policy: str
    """Its name in the scenario."""
    seen: tuple[Seen, ...]
    """In the registry's order."""
    taken: int | None
    """Place in `seen`; None if it took none of them."""
    ties: str = TIES_TO_FIRST
    """The policy's rule for ties."""

    @property
    def rule(self) -> Rule:
        """What it was decided by, as far as its figures tell."""
        if self.taken is None:
            return Rule.NONE
        if len(self.seen) == 1:
            return Rule.ONLY_ONE
        order, left = ORDERS.get(self.policy), list(self.seen)
        if order is None:
            return Rule.OWN
        taken = self.seen[self.taken]
        for figure in order:
            best = min(map(figure.key, left))
            left = [one for one in left if figure.key(one) == best]
            if left == [taken]:
                return Rule[figure.name]
        if self.ties != TIES_TO_FIRST:
            return Rule.TIES if taken in left else Rule.OWN
        # Whatever is not the first in this order was taken for another reason.
        return Rule.FIRST if left[0] == taken else Rule.OWN

    def rank(self, place: int, figure: Figure) -> Rank:
        """Return where the replica at this place of `seen` stands in the figure."""
        keys = [figure.key(one) for one in self.seen]
        return Rank(1 + sum(key < keys[place] for key in keys), keys.count(keys[place]) - 1)

    @property
    def document(self) -> dict[str, Any]:
        """The decision for programs, in values that JSON has."""
        return {
            "policy": self.policy,
            "rule": self.rule.value,
            "taken": None if self.taken is None else self.seen[self.taken].replica,
            "candidates": [
                {
                    "replica": one.replica,
                    "in_flight": one.in_flight,
                    "last_used_s": one.last_used_ns / 1e9,
                    "available_vram_bytes": one.available_vram_bytes,
                    "capacity": one.capacity,
                    "ranks": {figure.name.lower(): self.rank(place, figure).place for figure in Figure},
                }
                for place, one in enumerate(self.seen)
            ],
        }
