"""Whether a request follows its prompt's beginning to the replica that has seen it, or spares a busy one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from sim.routing.policies.prefix.index import Match
from sim.routing.replica import ReplicaKey


class Candidate(NamedTuple):
    """A replica that may be chosen, as loaded as it looked when it was read."""

    replica: ReplicaKey
    in_flight: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How good a match must be to count, and how much busier than the least loaded a chosen replica may be."""

    min_match: float = 0.3
    """Least share of the chain's blocks, itself enough."""
    max_excess: int = 2
    """Most requests in flight above the least loaded."""
    max_factor: float = 1.5
    """Most requests in flight as a multiple of the least loaded, which may be exceeded by 1."""

    def admits(self, in_flight: int, least_in_flight: int) -> bool:
        """Tell whether the load is within both limits."""
        return in_flight <= least_in_flight + self.max_excess and in_flight <= least_in_flight * self.max_factor + 1


DEFAULT_THRESHOLDS = Thresholds()


class Choice(NamedTuple):
    """The preferred replica, and what it cost."""

    replica: ReplicaKey
    forced_disturb: bool
    """A match was good enough, and its replica had to be passed over for its load."""


def select(
    candidates: Sequence[Candidate],
    hot: Match | None,
    cold: Iterable[ReplicaKey],
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Choice | None:
    """Choose the hot replica, else the first of the cold order, of those that are not too busy; None of none.

    If nobody named is a candidate within the limits, the least loaded is chosen; ties go by node, then by replica
    index.
    """
    least = min(candidates, key=_least_loaded_order, default=None)
    if least is None:
        return None
    eligible = [replica for replica, in_flight in candidates if thresholds.admits(in_flight, least.in_flight)]
    wanted = [hot.replica] if hot is not None and hot.ratio >= thresholds.min_match else []
    chosen = next((replica for replica in chain(wanted, cold) if replica in eligible), least.replica)
    return Choice(chosen, forced_disturb=bool(wanted) and chosen not in wanted)


def _least_loaded_order(candidate: Candidate) -> tuple[int, str, int]:
    return (candidate.in_flight, candidate.replica.node, candidate.replica.replica_index)
