"""Which replica serves a request, as LocalAI decides it: the one source of truth of the three-tier policy.

Order of preference: fewest requests in flight; then least recently used; then most free VRAM. A full tie goes to the
first in the input. SQL breaks it by the smallest row id instead, so a caller that lists its rows by id gets the
same choice from both.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from sim.routing.policies.choose import Choose, RowPolicy
from sim.routing.policies.picker import Picker
from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.ties import BreakTie, TiesName, tie_breaker
from sim.routing.request import Request

BEST_REPLICA = "best_replica"
"""Name of the policy, and of the order that `pick_best_replica` follows."""


class Load(Protocol):
    """The three figures that the policy compares."""

    @property
    def in_flight(self) -> int:
        """Reservations and running requests, as the registry counts them."""

    @property
    def last_used_ns(self) -> int:
        """Instant of the last pick, on any one clock; unset times sort as the oldest."""

    @property
    def available_vram_bytes(self) -> int:
        """Free VRAM of the node."""


AnyLoad = TypeVar("AnyLoad", bound=Load)


def pick_best_replica(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """Return the least loaded replica, or None if there is none.

    One scan that keeps the incumbent unless the challenger is strictly better; nothing is copied or changed. The tiers
    are written out, because this runs over every row for every request.
    """
    challengers = iter(replicas)
    best = next(challengers, None)
    if best is None:
        return None
    least = best.in_flight
    for challenger in challengers:
        in_flight = challenger.in_flight
        if in_flight > least:
            continue
        if in_flight == least:
            if challenger.last_used_ns > best.last_used_ns:
                continue
            is_tied = challenger.last_used_ns == best.last_used_ns
            if is_tied and challenger.available_vram_bytes <= best.available_vram_bytes:
                continue
        best, least = challenger, in_flight
    return best


@dataclass(frozen=True, slots=True)
class ChooseBest:
    """Takes the least loaded replica."""

    nodes: Collection[str] = ()
    order: str | None = BEST_REPLICA

    __call__ = staticmethod(pick_best_replica)


def _figures(load: Load) -> tuple[int, int, int]:
    return (load.in_flight, load.last_used_ns, load.available_vram_bytes)


@dataclass(frozen=True, slots=True)
class BestReplicaParameters:
    """The policy's keys in a scenario."""

    ties: TiesName = "first"
    """Which of those that are equal in all three gets the request."""


class BestReplica(RowPolicy):
    """Takes the replica with the fewest requests in flight; of equals the least recently used, then the most free VRAM.

    LocalAI's policy since 2026-05-06 (pull request 9695).
    """

    parameters = BestReplicaParameters

    def __init__(self, context: PolicyContext | None = None) -> None:
        """Without a context, ties go to the first."""
        self._picker: Picker | None = None
        """Breaks ties by another rule, which SQL does not know."""
        self.anywhere = ChooseBest()
        if context is not None and context.parameters.ties != "first":
            break_tie = tie_breaker(context.parameters.ties, context.random)
            self._picker = Picker(BEST_REPLICA, partial(_pick_tied, break_tie))
            self.anywhere = None

    def choice(self, request: Request, nodes: Collection[str]) -> Choose:
        """Return the choice of the best row."""
        return ChooseBest(nodes) if self._picker is None else self._picker.choice(request, nodes)


def _pick_tied(break_tie: BreakTie, replicas: Sequence[ReplicaView], _request: RequestView) -> ReplicaView | None:
    best = pick_best_replica(replicas)
    if best is None:
        return None
    return break_tie([one for one in replicas if _figures(one) == _figures(best)])
