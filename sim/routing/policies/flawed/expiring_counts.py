"""Least busy, by counts of its own that expire."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.routing.policies.limits import check_time
from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class ExpiringCountsParameters:
    """The policy's keys in a scenario."""

    expire_s: float = 60.0
    """Time in seconds after which all counts are forgotten."""

    def __post_init__(self) -> None:
        """Raise ValueError for a time that is none."""
        check_time("expire_s", self.expire_s)


class ExpiringCounts:
    """Counts the requests that it has sent, and takes the replica with the fewest, one of equals at random.

    The mistake: the counts are kept in a cache and expire with it. A request that ends after that is taken from 0, and
    a replica with -1 is less busy than an idle one, for as long as the count lives. LiteLLM's least-busy routing did so
    (pull request 40401).
    """

    parameters = ExpiringCountsParameters

    def __init__(self, context: PolicyContext) -> None:
        self._clock = context.clock
        self._random = context.random
        self._expire_ns = round(context.parameters.expire_s * NS_PER_S)
        self._counts: dict[str, int] = {}
        """Requests by row."""
        self._until_ns = self._expire_ns

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return a replica with the lowest count."""
        counts = self._live_counts()
        shuffled = self._random.sample(replicas, len(replicas))
        return min(shuffled, key=lambda replica: counts.get(replica.id, 0), default=None)

    def sent(self, replica: ReplicaView, request: RequestView) -> None:
        """Count the request."""
        self._add(replica, 1)

    def ended(self, replica: ReplicaView, request: RequestView, outcome: str, duration_ns: int) -> None:
        """Take it back."""
        self._add(replica, -1)

    def _add(self, replica: ReplicaView, change: int) -> None:
        counts = self._live_counts()
        counts[replica.id] = counts.get(replica.id, 0) + change

    def _live_counts(self) -> dict[str, int]:
        now_ns = self._clock.now_ns()
        if now_ns >= self._until_ns:
            self._counts, self._until_ns = {}, now_ns + self._expire_ns
        return self._counts
