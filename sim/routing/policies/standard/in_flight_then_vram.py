"""Fewest requests in flight, then most free VRAM: LocalAI's order before `best_replica`."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.least_in_flight import least_loaded
from sim.routing.policies.standard.ties import TiesName, tie_breaker


@dataclass(frozen=True, slots=True)
class InFlightThenVramParameters:
    """The policy's keys in a scenario."""

    ties: TiesName = "first"
    """Which of those that are equal in both gets the request."""


class InFlightThenVram:
    """Takes the least loaded replica, and of equals one with the most free VRAM.

    LocalAI from 2026-03-31 (pull request 9186) to 2026-05-06, when pull request 9695 put the time of the last use
    before the VRAM. Free VRAM hardly moves, so an idle fleet sends everything to the largest node.
    """

    parameters = InFlightThenVramParameters

    def __init__(self, context: PolicyContext) -> None:
        self._break_tie = tie_breaker(context.parameters.ties, context.random)

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return a replica that comes first in this order."""
        least = least_loaded(replicas)
        most_bytes = max((one.available_vram_bytes for one in least), default=0)
        return self._break_tie([one for one in least if one.available_vram_bytes == most_bytes])
