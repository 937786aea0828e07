"""Fewest requests in flight, then most free VRAM: LocalAI's order before `best_replica`."""

from collections.abc import Sequence

from sim.routing.policies.port import ReplicaView, RequestView


class InFlightThenVram:
    """Takes the least loaded replica, of equals the one with the most free VRAM, and of those the first.

    LocalAI from 2026-03-31 (pull request 9186) to 2026-05-06, when pull request 9695 put the time of the last use
    before the VRAM. Free VRAM hardly moves, so an idle fleet sends everything to the largest node.
    """

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the replica that comes first in this order."""
        return min(replicas, key=lambda one: (one.in_flight, -one.available_vram_bytes), default=None)
