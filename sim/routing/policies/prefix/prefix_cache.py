"""LocalAI's prefix cache policy, its default since 2026-05-30 (commit a44bdb29d)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sim.routing.policies.best_replica import pick_best_replica
from sim.routing.policies.limits import check_count
from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.prefix.choice import DEFAULT_THRESHOLDS, Candidate, Thresholds, select
from sim.routing.policies.prefix.index import MAX_BLOCKS
from sim.routing.policies.prefix.memory import MemoryParameters, PrefixMemory, key_of
from sim.routing.replica import ReplicaKey


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


class PrefixCache:
    """Prefers the replica that saw most of the prompt, unless it is busy; else the one that has seen least of late.

    A request whose prompt is unknown goes to the best replica, and so does one whose preferred replica has no row.
    LocalAI reads the figures of the replicas without their index, as `replica_index: always_0` does, and keeps what it
    knows of an evicted replica, as `on_new_row: keep` does.
    """

    parameters = PrefixCacheParameters

    def __init__(self, context: PolicyContext) -> None:
        keys: PrefixCacheParameters = context.parameters
        self._thresholds = Thresholds(keys.min_match, keys.max_excess, keys.max_factor)
        self._depth = keys.depth
        self._knows_index = keys.replica_index == "shown"
        self._memory = PrefixMemory(context.clock, keys)

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the preferred replica."""
        chain = request.chain[: self._depth]
        if not chain:
            return pick_best_replica(replicas)
        index = self._memory.index(replicas, request)
        candidates = [Candidate(self._believed_key(one, request), one.in_flight) for one in replicas]
        keys = [candidate.replica for candidate in candidates]
        choice = select(candidates, index.match(chain, keys), index.cold_order(keys), self._thresholds)
        preferred = [one for one in replicas if choice is not None and key_of(one, request) == choice.replica]
        return pick_best_replica(preferred or replicas)

    def sent(self, replica: ReplicaView, request: RequestView) -> None:
        """Remember who was given the prompt."""
        self._memory.sent(replica, request._replace(chain=request.chain[: self._depth]))

    def _believed_key(self, replica: ReplicaView, request: RequestView) -> ReplicaKey:
        key = key_of(replica, request)
        return key if self._knows_index else key._replace(replica_index=0)
