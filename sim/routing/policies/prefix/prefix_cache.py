"""LocalAI's prefix cache policy, its default since 2026-05-30 (commit a44bdb29d)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from sim.routing.policies.best_replica import ChooseBest, pick_best_replica
from sim.routing.policies.choose import AnyReplica, Choose, RowPolicy
from sim.routing.policies.limits import check_count
from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.prefix.choice import DEFAULT_THRESHOLDS, Candidate, Thresholds, select
from sim.routing.policies.prefix.index import MAX_BLOCKS
from sim.routing.policies.prefix.memory import MemoryParameters, PrefixMemory
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request


@dataclass(frozen=True, slots=True)
class PrefixCacheParameters(MemoryParameters):
    """The policy's keys in a scenario. The defaults are LocalAI's, but for its two mistakes."""

    min_match: float = DEFAULT_THRESHOLDS.min_match
    max_excess: int = DEFAULT_THRESHOLDS.max_excess
    """Most requests in flight above the least loaded that a preferred replica may have."""
    max_factor: float = DEFAULT_THRESHOLDS.max_factor
    """Most requests in flight as a multiple of the least loaded, which may be exceeded by 1."""
    depth: int = MAX_BLOCKS
    """Blocks at the beginning of a prompt that count."""
    replica_index: Literal["shown", "always_0"] = "shown"
    """Whether it knows the replicas of one node apart, or takes each of them for the node's first."""

    def __post_init__(self) -> None:
        """Raise ValueError for limits that are none."""
        MemoryParameters.__post_init__(self)
        check_count("max_excess", self.max_excess, 0)
        if not self.max_factor >= 1:
            raise ValueError(f"max_factor: found {self.max_factor:g}; allowed: 1 or more")
        check_count("depth", self.depth, 1)


class PrefixCache(RowPolicy):
    """Prefers the replica that saw most of the prompt, unless it is busy; else the one that has seen least of late.

    That is decided once for a pick: if its row has gone by the time it is locked, the best of the others is taken. A
    request of which no prompt is known goes to the best replica. LocalAI reads the figures of the replicas without
    their index, as `replica_index: always_0` does, and keeps what it knows of an evicted replica, as `on_new_row: keep`
    does.
    """

    parameters = PrefixCacheParameters

    def __init__(self, context: PolicyContext) -> None:
        keys: PrefixCacheParameters = context.parameters
        self._thresholds = Thresholds(keys.min_match, keys.max_excess, keys.max_factor)
        self._depth = keys.depth
        self._knows_index = keys.replica_index == "shown"
        self._memory = PrefixMemory(context.clock, keys)
        self.listener = self
        self.pressure: Pressure = Pressure(context.clock)

    def choice(self, request: Request, nodes: Collection[str]) -> Choose:
        """Return what this request asks of the registry, among the rows on these nodes; on any node if empty."""
        return _PreferredElseBest(self, request, nodes) if request.chain else ChooseBest(nodes)

    def preferred(self, rows: Sequence[Replica], request: Request) -> ReplicaKey | None:
        """Return the replica that should get the request, though perhaps none of the rows; None of no rows."""
        chain = request.chain[: self._depth]
        index = self._memory.index(request.model, ((row.key, row.id) for row in rows))
        candidates = [Candidate(self._believed(row.key), row.in_flight) for row in rows]
        keys = [candidate.replica for candidate in candidates]
        choice = select(candidates, index.match(chain, keys), index.cold_order(keys), self._thresholds)
        if choice is None:
            return None
        if choice.forced_disturb:
            self.pressure.record(request.model)
        return choice.replica

    def sent(self, replica: ReplicaView, request: RequestView) -> None:
        """Remember who was given the prompt."""
        self._memory.sent(replica, request._replace(chain=request.chain[: self._depth]))

    def ended(self, replica: ReplicaView, request: RequestView, outcome: str, duration_ns: int) -> None:
        """Do nothing: the replica has read the prompt, however the request ended."""

    def _believed(self, key: ReplicaKey) -> ReplicaKey:
        return key if self._knows_index else key._replace(replica_index=0)


class _PreferredElseBest:
    """One pick's decision."""

    __slots__ = ("_policy", "_preferred", "_request", "nodes")

    order: str | None = None
    """No order in SQL stands for it."""

    def __init__(self, policy: PrefixCache, request: Request, nodes: Collection[str]) -> None:
        self.nodes = nodes
        self._policy = policy
        self._request = request
        self._preferred: ReplicaKey | None = None

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        """Return the preferred row, as the first rows that were seen decide it; if it is not there, the best one."""
        if self._preferred is None:
            self._preferred = self._policy.preferred(replicas, self._request)
        preferred = [row for row in replicas if row.key == self._preferred]
        return pick_best_replica(preferred or replicas)
