"""What one frontend remembers of the prompts that it has routed, model by model."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sim.routing.policies.limits import check_number, check_time
from sim.routing.policies.port import PolicyClock, ReplicaView, RequestView
from sim.routing.policies.prefix.index import PrefixIndex
from sim.routing.replica import ReplicaKey
from sim.routing.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class MemoryParameters:
    """The keys of a scenario that say what is remembered, and when it counts."""

    min_match: float = 0.0
    """Least share of a prompt's blocks that a replica must have been given before, to be preferred for the prompt."""
    ttl_s: float = 300.0
    """Seconds after which a block that has not been seen again is forgotten."""
    on_new_row: Literal["forget", "keep"] = "forget"
    """What becomes of a replica's prompts when its row is a new one, so that its process may be new as well."""

    def __post_init__(self) -> None:
        """Raise ValueError for a time that is none."""
        check_time("ttl_s", self.ttl_s)
        check_number("min_match", self.min_match, 0, 1)


def key_of(replica: ReplicaView, request: RequestView) -> ReplicaKey:
    """Return what names the replica, whatever its row."""
    return ReplicaKey(replica.node, request.model, replica.replica_index)


class PrefixMemory:
    """An index of prompts for each model, which follows the replicas' rows if it is to."""

    def __init__(self, clock: PolicyClock, keys: MemoryParameters) -> None:
        self._clock = clock
        self._ttl_ns = round(keys.ttl_s * NS_PER_S)
        self._forgets = keys.on_new_row == "forget"
        self._indexes: dict[str, PrefixIndex] = {}
        """By model."""
        self._rows: dict[ReplicaKey, str] = {}
        """Id of the row that each replica was last seen with."""

    def index(self, model: str, rows: Iterable[tuple[ReplicaKey, str]]) -> PrefixIndex:
        """Return the model's index, as it stands with these rows, each of them a replica and the row's id."""
        index = self._index_of(model)
        if self._forgets:
            for key, row_id in rows:
                if self._rows.setdefault(key, row_id) != row_id:
                    self._rows[key] = row_id
                    index.forget(key)
        return index

    def sent(self, replica: ReplicaView, request: RequestView) -> None:
        """Remember that the replica was given the request's prompt."""
        self._index_of(request.model).observe(request.chain, key_of(replica, request))

    def _index_of(self, model: str) -> PrefixIndex:
        index = self._indexes.get(model)
        if index is None:
            index = self._indexes[model] = PrefixIndex(self._clock, self._ttl_ns)
        return index
