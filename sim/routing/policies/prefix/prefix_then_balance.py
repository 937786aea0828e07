"""The replica that knows a prompt's beginning, if there is one; the least loaded one otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.prefix.memory import MemoryParameters, PrefixMemory, key_of
from sim.routing.policies.standard.least_in_flight import least_loaded
from sim.routing.policies.standard.ties import TiesName, tie_breaker


@dataclass(frozen=True, slots=True)
class PrefixThenBalanceParameters(MemoryParameters):
    """The policy's keys in a scenario."""

    max_excess: int | None = 2
    """Most requests in flight above the least loaded that such a replica may have; None for any number."""
    ties: TiesName = "random"
    """Which of the least loaded gets a prompt that nobody knows."""

    def __post_init__(self) -> None:
        """Raise ValueError for limits that are none."""
        MemoryParameters.__post_init__(self)
        if self.max_excess is not None and self.max_excess < 0:
            raise ValueError(f"max_excess: found {self.max_excess}; allowed: 0 or more, or null for any number")


class PrefixThenBalance:
    """Sends a prompt after its beginning, and spreads those that begin like none before.

    It is the plain form of the `cache_aware` policy of SGLang's and vLLM's routers. They decide by the load of the
    busiest replica, not of the known one, whether to spare the known one. They give an unknown prompt to the replica
    that has seen least. Without a bound on the load (`max_excess: null`), prompts that begin alike all go to one
    replica: the prefix herd.
    """

    parameters = PrefixThenBalanceParameters

    def __init__(self, context: PolicyContext) -> None:
        self._keys: PrefixThenBalanceParameters = context.parameters
        self._memory = PrefixMemory(context.clock, self._keys)
        self._break_tie = tie_breaker(self._keys.ties, context.random)
        self.sent = self._memory.sent

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the replica that was given most of the prompt, if it is not too busy."""
        least = least_loaded(replicas)
        known = self._known(replicas, request)
        excess = known.in_flight - least[0].in_flight if known is not None else 0
        is_spared = self._keys.max_excess is not None and excess > self._keys.max_excess
        return self._break_tie(least) if known is None or is_spared else known

    def _known(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        by_key = {key_of(replica, request): replica for replica in replicas}
        index = self._memory.index(request.model, ((key_of(one, request), one.id) for one in replicas))
        match = index.match(request.chain, by_key)
        return by_key[match.replica] if match is not None and match.ratio >= self._keys.min_match else None
