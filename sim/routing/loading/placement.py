"""Where a new replica goes: the node and the replica index.

A decision over one reading of the registry, in LocalAI's steps: the nodes are narrowed down by labels, by conflicts,
by disk and by free slots, and of those that are left the best by load and VRAM is taken. Where its known faults lie
in a step, the step is a strategy with a repaired counterpart; `FAITHFUL` and `REPAIRED` put them together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sim.routing.errors import NoFreeSlot, NoMatchingNode, NoReplica
from sim.routing.fleet import Fleet, Node
from sim.routing.model_config import ModelConfig
from sim.routing.replica import ReplicaKey
from sim.routing.states import RowState
from sim.routing.units import BYTES_PER_GIB

LEAST_DISK_MARGIN_BYTES = BYTES_PER_GIB

UNKNOWN_SIZE_DISK_BYTES = 2 * BYTES_PER_GIB
"""What a node must have free for a model whose size nobody knows."""

AntiAffinity = Callable[[Fleet, Sequence[Node], ModelConfig], Sequence[Node]]
"""Narrows the matching nodes down to those where the model meets no conflicting one; never to none."""

EvictionScope = Callable[[Sequence[Node]], Sequence[str]]
"""Given the nodes that may take the replica, names those on which a row may be evicted for it; none for any node."""


class SlotsExhausted(NamedTuple):
    """No node that may take the replica has a slot for it: a row must be evicted first."""

    evict_from: Sequence[str]
    """Nodes on which that may be; empty for any node."""


@dataclass(frozen=True, slots=True)
class PlacementRules:
    """The steps of placement that there is more than one way to do."""

    keep_apart: AntiAffinity
    evict_from: EvictionScope


def place(fleet: Fleet, model: ModelConfig, rules: PlacementRules) -> ReplicaKey | SlotsExhausted:
    """Choose a node and the lowest unused index on it, or tell that only an eviction can make room.

    A shortage of VRAM excludes no node: if the model fits nowhere, the best node is taken all the same and is
    over-committed. Raises NoMatchingNode if the model asks for labels that no healthy node has, and NoReplica if
    no node has the disk.
    """
    matching = matching_nodes(fleet, model.selector)
    if model.selector and not matching:
        raise NoMatchingNode(f"no healthy nodes match the selector of {model.name}")
    candidates = require_disk_headroom(rules.keep_apart(fleet, matching, model), model)
    free = [node for node in candidates if _free_slots(fleet, node, model.name) > 0]
    chosen = _best_node(fleet, free or candidates, model.vram_bytes)
    key = None if chosen is None else _unused_key(fleet, chosen, model.name)
    return SlotsExhausted(rules.evict_from(candidates)) if key is None else key


def place_on(fleet: Fleet, node_name: str, model: str) -> ReplicaKey:
    """Return the model's lowest unused index on the node, whose labels, disk and VRAM are not looked at.

    So LocalAI takes the node that an eviction has made room on. Evicting a row of another model frees VRAM but no
    slot of this one: raises NoFreeSlot if the node has none, or is not in the fleet.
    """
    keys = (_unused_key(fleet, node, model) for node in fleet.nodes if node.name == node_name)
    key = next(keys, None)
    if key is None:
        raise NoFreeSlot(f"no free slot for {model} on {node_name}")
    return key


def matching_nodes(fleet: Fleet, selector: Mapping[str, str]) -> list[Node]:
    """Return the healthy nodes that have every label of the selector, by name; an empty selector matches all."""
    return [node for node in fleet.healthy_nodes() if selector.items() <= node.labels.items()]


def capacity(fleet: Fleet, model: ModelConfig) -> int:
    """Return how many more replicas of the model the slots of the matching nodes can hold."""
    return sum(_free_slots(fleet, node, model.name) for node in matching_nodes(fleet, model.selector))


def avoid_conflicts(fleet: Fleet, nodes: Sequence[Node], model: ModelConfig) -> Sequence[Node]:
    """Leave out the nodes with a loaded replica of a conflicting model, unless that leaves none. Repaired."""
    return [node for node in nodes if not _has_conflict(fleet, node, model)] or nodes


def avoid_conflicts_if_selected(fleet: Fleet, nodes: Sequence[Node], model: ModelConfig) -> Sequence[Node]:
    """Do the same, but only for a model with a selector; the others ignore their conflicts. LocalAI's rule."""
    return avoid_conflicts(fleet, nodes, model) if model.selector else nodes


def require_disk_headroom(nodes: Sequence[Node], model: ModelConfig) -> Sequence[Node]:
    """Leave out the nodes that report their disk and have too little of it.

    Raises NoReplica if there were nodes and all are left out.
    """
    needed_bytes = needed_disk_bytes(model.disk_bytes)
    roomy = [node for node in nodes if not node.total_disk_bytes or node.available_disk_bytes >= needed_bytes]
    if nodes and not roomy:
        raise NoReplica(f"no node has {needed_bytes} bytes of disk free for {model.name}")
    return roomy


def needed_disk_bytes(payload_bytes: int) -> int:
    """Return what must be free for files of that size: a margin of 5 %, at least 1 GiB, on top; 2 GiB if it is 0."""
    if not payload_bytes:
        return UNKNOWN_SIZE_DISK_BYTES
    return payload_bytes + max(payload_bytes // 20, LEAST_DISK_MARGIN_BYTES)


def evict_anywhere(_candidates: Sequence[Node]) -> Sequence[str]:
    """Allow any node, even one that the model must not go to. LocalAI's rule."""
    return ()


def evict_from_candidates(candidates: Sequence[Node]) -> Sequence[str]:
    """Allow only the nodes that may take the replica. Repaired."""
    return tuple(node.name for node in candidates)


FAITHFUL = PlacementRules(avoid_conflicts_if_selected, evict_anywhere)
"""As LocalAI places."""

REPAIRED = PlacementRules(avoid_conflicts, evict_from_candidates)
"""The same without the known faults."""


def _best_node(fleet: Fleet, nodes: Sequence[Node], needed_vram_bytes: int) -> Node | None:
    fitting = [node for node in nodes if 0 < needed_vram_bytes <= node.unreserved_vram_bytes]
    if fitting:
        return min(fitting, key=lambda node: _node_order(fleet, node, node.unreserved_vram_bytes))
    return min(nodes, key=lambda node: _node_order(fleet, node, node.available_vram_bytes), default=None)


def _node_order(fleet: Fleet, node: Node, free_vram_bytes: int) -> tuple[bool, int, int, str]:
    """Idle nodes first, whatever is about to be loaded there, then the least busy, the most VRAM, the name."""
    rows = fleet.rows_on(node.name)
    is_idle = not any(row.is_loaded for row in rows)
    return (not is_idle, 0 if is_idle else sum(row.in_flight for row in rows), -free_vram_bytes, node.name)


def _has_conflict(fleet: Fleet, node: Node, model: ModelConfig) -> bool:
    return any(row.is_loaded and row.key.model in model.conflicts for row in fleet.rows_on(node.name))


def _free_slots(fleet: Fleet, node: Node, model: str) -> int:
    return max(0, node.slots - len(_used_indexes(fleet, node, model)))


def _unused_key(fleet: Fleet, node: Node, model: str) -> ReplicaKey | None:
    used = _used_indexes(fleet, node, model)
    keys = (ReplicaKey(node.name, model, index) for index in range(node.slots) if index not in used)
    return next(keys, None)


def _used_indexes(fleet: Fleet, node: Node, model: str) -> list[int]:
    """Indexes of the model's rows on the node; one that is unloading or of an old revision holds its index no more."""
    return [
        row.key.replica_index
        for row in fleet.rows_on(node.name)
        if row.key.model == model and row.state is not RowState.UNLOADING and fleet.is_current(row)
    ]
