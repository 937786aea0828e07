"""A failed call that is made once more on another replica, and what keeps such retries from multiplying the load."""

from collections.abc import Collection, Sequence

from sim.routing.outcomes import Outcome
from sim.routing.policies.choose import AnyReplica, Choose, Chooser
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request

MOST_CALLS = 3
"""How often a request is sent at most."""

FULL_TENTHS, FAILURE_TENTHS, SUCCESS_TENTHS = 100, 10, 1
"""The throttle's tokens, in tenths: a full bucket, what a failed call takes, and what a completed request gives."""


class Retries:
    """Lets a request whose call has failed be sent to another replica, so that it is sent up to three times."""

    def __init__(self) -> None:
        self._tried: dict[int, tuple[ReplicaKey, ...]] = {}
        """By request that is sent again: the replicas whose calls have failed."""

    def tried(self, request: Request) -> Collection[ReplicaKey]:
        """Return the replicas that have failed the request so far."""
        return self._tried.get(request.id, ())

    def grant(self, request: Request, failed: ReplicaKey) -> bool:
        """Return whether the request may be sent once more, now that this replica has failed it too."""
        tried = (*self._tried.get(request.id, ()), failed)
        if len(tried) == MOST_CALLS:
            return False
        self._tried[request.id] = tried
        return True

    def forget(self, request: Request) -> None:
        """Hear that the request has ended, in whatever way."""
        self._tried.pop(request.id, None)


class ThrottledRetries(Retries):
    """The same as long as few calls fail: a bucket of tokens shared by all requests of the frontend.

    It holds 10 tokens. Each failed call takes one, each completed request gives a tenth back, and nothing is sent again
    while the bucket is not more than half full. So where more than about a tenth of the calls fail, retries stop.
    Source: gRPC's retry throttling, proposal A6 (client retries), with the `maxTokens` and `tokenRatio` of its example.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tenths = FULL_TENTHS

    def grant(self, request: Request, failed: ReplicaKey) -> bool:
        """Take a token, and grant the retry if more than half of them are left."""
        self._tenths = max(0, self._tenths - FAILURE_TENTHS)
        return 2 * self._tenths > FULL_TENTHS and super().grant(request, failed)

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        """Hear from the journal that a request has ended."""
        if outcome is Outcome.COMPLETED:
            self._tenths = min(FULL_TENTHS, self._tenths + SUCCESS_TENTHS)


class Elsewhere:
    """A policy that is not shown the replicas that have failed the request, unless all of them have."""

    anywhere: Choose | None = None
    """None, because a request that is sent once more asks for something of its own."""

    def __init__(self, chooser: Chooser, retries: Retries) -> None:
        self.listener = chooser.listener
        self.pressure = chooser.pressure
        self._chooser = chooser
        self._retries = retries

    def choice(self, request: Request, nodes: Collection[str]) -> Choose:
        """Return what this request asks of the registry, among the rows on these nodes; on any node if empty."""
        choose, tried = self._chooser.choice(request, nodes), self._retries.tried(request)
        return _Untried(choose, tried) if tried else choose


class _Untried:
    """One pick's decision among the replicas that were not tried."""

    __slots__ = ("_choose", "_tried", "nodes")

    order: str | None = None
    """None, because no order in SQL leaves rows out."""

    def __init__(self, choose: Choose, tried: Collection[ReplicaKey]) -> None:
        self.nodes = choose.nodes
        self._choose = choose
        self._tried = tried

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        return self._choose([replica for replica in replicas if replica.key not in self._tried] or replicas)
