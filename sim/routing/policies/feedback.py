"""Tells a policy which of its picks got their request, and how that request ended."""

from collections.abc import Mapping
from typing import NamedTuple

from sim.routing.outcomes import Answer, Outcome
from sim.routing.policies.choose import Listener
from sim.routing.policies.picker import replica_view, request_view
from sim.routing.policies.port import ReplicaView
from sim.routing.ports import Clock
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request

_WORDS: Mapping[Outcome, str] = {
    Outcome.COMPLETED: "completed",
    Outcome.FAILED: "failed",
    Outcome.REJECTED: "failed",
    Outcome.CANCELLED: "cancelled",
}


class _Sent(NamedTuple):
    replica: ReplicaView
    sent_ns: int


class Feedback:
    """Listens to one frontend's journal on a policy's behalf.

    A request that goes where the policy did not send it (to a replica that was loaded for it, or by a kept route) is
    not told.
    """

    def __init__(self, listener: Listener, clock: Clock) -> None:
        self._listener = listener
        self._clock = clock
        self._picked: dict[int, Replica] = {}
        """By request: what was picked for it last."""
        self._sent: dict[int, _Sent] = {}
        """By request: where it is."""

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """Note the pick, which may still turn out to be dead."""
        self._picked[request.id] = replica

    def routed(self, request: Request, key: ReplicaKey) -> None:
        """Tell the policy, if the route is that of its pick."""
        picked = self._picked.pop(request.id, None)
        if picked is not None and picked.key == key:
            view = replica_view(picked)
            self._listener.sent(view, request_view(request))
            self._sent[request.id] = _Sent(view, self._clock.now_ns())

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        """Tell the policy, if it was told of the beginning."""
        self._end(request, outcome)

    def retried(self, request: Request, key: ReplicaKey, cause: str) -> None:
        """Tell the policy that the call has failed, if it was told of its beginning."""
        self._end(request, Outcome.FAILED)

    def left(self, request: Request) -> None:
        """Tell the policy that the request was cut short, if nobody has told how it ended."""
        self._end(request, Outcome.CANCELLED)

    def _end(self, request: Request, outcome: Outcome) -> None:
        self._picked.pop(request.id, None)
        sent = self._sent.pop(request.id, None)
        if sent is not None:
            duration_ns = self._clock.now_ns() - sent.sent_ns
            self._listener.ended(sent.replica, request_view(request), _WORDS[outcome], duration_ns)
