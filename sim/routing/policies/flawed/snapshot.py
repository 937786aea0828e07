"""Least busy, by figures that are read only now and then."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class SnapshotParameters:
    """The policy's keys in a scenario."""

    refresh_s: float = 5.0
    """Time in seconds for which figures are used."""

    def __post_init__(self) -> None:
        """Raise ValueError for a time below 0."""
        if not 0 <= self.refresh_s <= 1e6:
            raise ValueError(f"refresh_s: found {self.refresh_s:g}; allowed: from 0 to 1e6")


class Snapshot:
    """Takes the replica that had the fewest requests in flight when the figures were read.

    The mistake: it does not count what it has sent since, so the same replica is the least loaded one until the next
    reading (M. Mitzenmacher, "How useful is old information?", IEEE TPDS 11(1), 2000; SGLang pull request 39170).
    """

    parameters = SnapshotParameters

    def __init__(self, context: PolicyContext) -> None:
        self._refresh_ns = round(context.parameters.refresh_s * NS_PER_S)
        self._clock = context.clock
        self._random = context.random
        self._read_ns: dict[str, int] = {}
        """When each model's figures were read."""
        self._rank: dict[str, list[str]] = {}
        """Each model's rows as they were then, by id, the least loaded first."""

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the least loaded of the last reading that is still there; another if none of them is."""
        now_ns, model = self._clock.now_ns(), request.model
        if model not in self._read_ns or now_ns - self._read_ns[model] >= self._refresh_ns:
            shuffled = self._random.sample(replicas, len(replicas))
            self._rank[model] = [one.id for one in sorted(shuffled, key=lambda one: one.in_flight)]
            self._read_ns[model] = now_ns
        there = {replica.id: replica for replica in replicas}
        return next((there[row] for row in self._rank[model] if row in there), next(iter(replicas), None))
