"""Which replica serves a request, as LocalAI decides it: the one source of truth of the three-tier policy.

Order of preference: fewest requests in flight; then least recently used; then most free VRAM. A full tie goes to the
first in the input. SQL breaks it by the smallest row id instead, so a caller that lists its rows by id gets the
same choice from both.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from sim.routing.policies.choose import AnyReplica, Choose, RowPolicy
from sim.routing.policies.picker import replica_view
from sim.routing.policies.port import PolicyContext
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


class ChooseAmongBest:
    """Takes one of the least loaded replicas, by a rule of its own where they are equal in all three figures."""

    __slots__ = ("_break_tie", "nodes")

    order: str | None = None
    """None, as SQL knows no other rule than the smallest row id."""

    def __init__(self, break_tie: BreakTie, nodes: Collection[str]) -> None:
        self.nodes = nodes
        self._break_tie = break_tie

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        """Return one of the best rows; None of none."""
        best = pick_best_replica(replicas)
        tied = {replica_view(one): one for one in replicas if best is not None and _figures(one) == _figures(best)}
        chosen = self._break_tie(tuple(tied))
        return None if chosen is None else tied[chosen]


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
        self._among: Callable[[Collection[str]], Choose] = ChooseBest
        if context is not None and context.parameters.ties != "first":
            self._among = partial(ChooseAmongBest, tie_breaker(context.parameters.ties, context.random))
        self.anywhere = self._among(())

    def choice(self, request: Request, nodes: Collection[str]) -> Choose:
        """Return the choice of the best row."""
        return self._among(nodes)
