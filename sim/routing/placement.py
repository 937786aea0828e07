"""Where a new replica goes: the node and the replica index."""

from collections.abc import Sequence
from itertools import count

from sim.routing.errors import NoReplica
from sim.routing.ports import NodeView
from sim.routing.replica import ReplicaKey


def place(nodes: Sequence[NodeView], model: str, needed_vram_bytes: int) -> ReplicaKey:
    """Choose among the nodes with a free slot: an idle one first, then the least busy, then the most free VRAM.

    Nodes whose free VRAM covers the need (0 = unknown) go before the others, but if none does the best of the
    others is taken all the same, over-committed. Full ties go to the first by name. The replica gets the lowest
    unused index. Raises NoReplica if no node has a free slot.
    """
    free = [node for node in nodes if node.free_slots > 0]
    if not free:
        raise NoReplica(f"no node has a free slot for {model}")
    fitting = [node for node in free if node.available_vram_bytes >= needed_vram_bytes]
    chosen = min(fitting or free, key=_placement_order)
    index = next(index for index in count() if index not in chosen.used_indexes)
    return ReplicaKey(chosen.name, model, index)


def _placement_order(node: NodeView) -> tuple[bool, int, int, str]:
    has_rows = node.loaded_rows > 0
    return (has_rows, node.in_flight if has_rows else 0, -node.available_vram_bytes, node.name)
