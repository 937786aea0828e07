"""Making room: the row that was used least recently is deleted, and its process freed."""

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress

from sim.routing.errors import CallError, NoReplica
from sim.routing.fleet import Fleet, ReplicaRow
from sim.routing.loading.free_process import FreeProcess
from sim.routing.ports import FrontendPorts
from sim.routing.settings import ModelConfig
from sim.routing.units import NS_PER_MS

ATTEMPTS = 5

RETRY_NS = 500 * NS_PER_MS
"""Pause after each failed attempt, the last one included."""


def least_recently_used(
    fleet: Fleet, models: Mapping[str, ModelConfig], nodes: Collection[str] = ()
) -> ReplicaRow | None:
    """Return the row to evict: the least recently used one, ties to the smallest id; None if none may be evicted.

    A row may be evicted if it is loaded for its model's current revision, is on a healthy node (on one of `nodes`, if
    any are named), has nothing in flight, and its model has more loaded rows than its eviction floor. For the floor,
    rows on nodes in any state count.
    """
    allowed = {node.name for node in fleet.healthy_nodes() if not nodes or node.name in nodes}
    serving = [row for row in fleet.rows if row.is_loaded and fleet.is_current(row)]
    loaded = Counter(row.key.model for row in serving)
    evictable = (
        row
        for row in serving
        if row.in_flight == 0
        and row.key.node in allowed
        and _can_lose_one(models.get(row.key.model), loaded[row.key.model])
    )
    return min(evictable, key=lambda row: (row.last_used_ns, row.id), default=None)


def _can_lose_one(model: ModelConfig | None, loaded_rows: int) -> bool:
    floor = None if model is None else model.eviction_floor
    return floor is None or loaded_rows > floor


class Eviction:
    """Evicts rows from the registry."""

    __slots__ = ("_free_process", "_models", "_ports")

    def __init__(self, ports: FrontendPorts, models: Mapping[str, ModelConfig], free_process: FreeProcess) -> None:
        """`models` go by name; others have no bounds."""
        self._ports = ports
        self._models = models
        self._free_process = free_process

    async def make_room(self, nodes: Collection[str] = ()) -> ReplicaRow:
        """Delete the least recently used row, on one of these nodes if any are named, and return it.

        Its process is freed before the call returns; a failure to free it changes nothing. Raises NoReplica if five
        attempts found no row that may be evicted, or met an error.
        """
        for _ in range(ATTEMPTS):
            row = await self._evict(nodes)
            if row is not None:
                return row
            await self._ports.runtime.sleep(RETRY_NS)
        raise NoReplica("all models busy")

    async def _evict(self, nodes: Collection[str]) -> ReplicaRow | None:
        try:
            row = await self._ports.registry.evict(lambda fleet: least_recently_used(fleet, self._models, nodes))
        except CallError:
            return None
        if row is None:
            return None
        self._ports.journal.row_removed(row.key, row.address, "evicted", None)
        with suppress(CallError):
            await self._free_process(self._ports, row.key)
        return row
