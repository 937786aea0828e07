"""Where a new replica goes: the node and the replica index.

A decision over one reading of the registry, in LocalAI's steps: narrow the nodes down by labels, conflicts, disk and
free slots, then take the best of the rest by load and VRAM. A step with a known fault is a strategy that has a repaired
counterpart; `FAITHFUL` and `REPAIRED` combine them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sim.routing.errors import NoFreeSlot, NoMatchingNode, NoReplica
from sim.routing.fleet import Fleet, Node, RowState
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig
from sim.routing.units import BYTES_PER_GIB

LEAST_DISK_MARGIN_BYTES = BYTES_PER_GIB

UNKNOWN_SIZE_DISK_BYTES = 2 * BYTES_PER_GIB
"""What a node must have free for a model of unknown size."""

AntiAffinity = Callable[[Fleet, Sequence[Node], ModelConfig], Sequence[Node]]
"""Narrows the matching nodes down to those without a conflicting model, but never to none."""

NeededDisk = Callable[[int], int]
"""Given the size of a model's files in bytes, 0 if unknown, returns what a node must have free for them."""

EvictionScope = Callable[[Sequence[Node]], Sequence[str]]
"""Given the nodes that may take the replica, names those on which a row may be evicted for it; empty for any."""

TakenIndexes = Callable[[Fleet, Node, str], Collection[int]]
"""Returns the indexes of a model's replicas on a node, each of which takes one of its slots."""


def indexes_of_rows(fleet: Fleet, node: Node, model: str) -> Collection[int]:
    """Return the indexes of the model's rows there, without rows that are unloading or of an old revision."""
    return [
        row.key.replica_index
        for row in fleet.rows_on(node.name)
        if row.key.model == model and row.state is not RowState.UNLOADING and fleet.is_current(row)
    ]


def no_index(_fleet: Fleet, _node: Node, _model: str) -> Collection[int]:
    """Return none, so that every replica is loaded in place of the first. LocalAI's way before pull request 9583."""
    return ()


class SlotsExhausted(NamedTuple):
    """No node that may take the replica has a free slot: a row must be evicted first."""

    evict_from: Sequence[str]
    """Nodes on which a row may be evicted; empty for any node."""


def needed_disk_bytes(payload_bytes: int) -> int:
    """Return the payload plus a margin of 5 %, at least 1 GiB; 2 GiB if the payload is 0, which stands for unknown."""
    if not payload_bytes:
        return UNKNOWN_SIZE_DISK_BYTES
    return payload_bytes + max(payload_bytes // 20, LEAST_DISK_MARGIN_BYTES)


def no_disk_bytes(_payload_bytes: int) -> int:
    """Return 0: a node is chosen without a look at its disk. So it was in LocalAI until 2026-07-23."""
    return 0


@dataclass(frozen=True, slots=True)
class PlacementRules:
    """The steps of placement that differ between LocalAI and the repair."""

    keep_apart: AntiAffinity
    evict_from: EvictionScope
    taken_indexes: TakenIndexes = indexes_of_rows
    needed_disk_bytes: NeededDisk = needed_disk_bytes


def place(fleet: Fleet, model: ModelConfig, rules: PlacementRules) -> ReplicaKey | SlotsExhausted:
    """Choose a node and the lowest unused index on it, or say that only an eviction can make room.

    A shortage of VRAM excludes no node: if the model fits nowhere, the best node takes it and is over-committed. Raises
    NoMatchingNode if no healthy node has the labels that the model asks for, and NoReplica if no node has the disk.
    """
    matching = matching_nodes(fleet, model.selector)
    if model.selector and not matching:
        raise NoMatchingNode(f"no healthy nodes match the selector of {model.name}")
    needed_bytes = rules.needed_disk_bytes(model.disk_bytes)
    candidates = require_disk_headroom(rules.keep_apart(fleet, matching, model), model, needed_bytes)
    taken = rules.taken_indexes
    free = [node for node in candidates if _free_slots(fleet, node, model.name, taken) > 0]
    chosen = _best_node(fleet, free or candidates, model.vram_bytes)
    key = None if chosen is None else _unused_key(fleet, chosen, model.name, taken)
    return SlotsExhausted(rules.evict_from(candidates)) if key is None else key


def place_on(fleet: Fleet, node_name: str, model: str) -> ReplicaKey:
    """Return the model's lowest unused index on the node, whatever its labels, disk and VRAM.

    This is how LocalAI takes the node on which an eviction has made room. Evicting a row of another model frees VRAM
    but no slot of this one: raises NoFreeSlot if the node has none, or is not in the fleet.
    """
    keys = (_unused_key(fleet, node, model, indexes_of_rows) for node in fleet.nodes if node.name == node_name)
    key = next(keys, None)
    if key is None:
        raise NoFreeSlot(f"no free slot for {model} on {node_name}")
    return key


def matching_nodes(fleet: Fleet, selector: Mapping[str, str]) -> list[Node]:
    """Return the healthy nodes that have every label of the selector, by name; an empty selector matches all."""
    return [node for node in fleet.healthy_nodes() if selector.items() <= node.labels.items()]


def capacity(fleet: Fleet, model: ModelConfig, taken: TakenIndexes = indexes_of_rows) -> int:
    """Return how many more replicas of the model the slots of the matching nodes can hold."""
    return sum(_free_slots(fleet, node, model.name, taken) for node in matching_nodes(fleet, model.selector))


def avoid_conflicts(fleet: Fleet, nodes: Sequence[Node], model: ModelConfig) -> Sequence[Node]:
    """Leave out the nodes with a loaded replica of a conflicting model, unless that leaves none. Repaired."""
    return [node for node in nodes if not _has_conflict(fleet, node, model)] or nodes


def avoid_conflicts_if_selected(fleet: Fleet, nodes: Sequence[Node], model: ModelConfig) -> Sequence[Node]:
    """Do the same, but only for a model with a selector; other models ignore their conflicts. LocalAI's rule."""
    return avoid_conflicts(fleet, nodes, model) if model.selector else nodes


def require_disk_headroom(nodes: Sequence[Node], model: ModelConfig, needed_bytes: int) -> Sequence[Node]:
    """Leave out the nodes that report their disk and have less than this of it.

    Raises NoReplica if there were nodes and all are left out.
    """
    roomy = [node for node in nodes if not node.total_disk_bytes or node.available_disk_bytes >= needed_bytes]
    if nodes and not roomy:
        raise NoReplica(f"no node has {needed_bytes} bytes of disk free for {model.name}")
    return roomy


def evict_anywhere(_candidates: Sequence[Node]) -> Sequence[str]:
    """Allow any node, even one that the model's selector excludes. LocalAI's rule."""
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
    """Order by idle first (a replica that is still loading does not count), least busy, most free VRAM, name."""
    rows = fleet.rows_on(node.name)
    is_idle = not any(row.is_loaded for row in rows)
    return (not is_idle, 0 if is_idle else sum(row.in_flight for row in rows), -free_vram_bytes, node.name)


def _has_conflict(fleet: Fleet, node: Node, model: ModelConfig) -> bool:
    return any(row.is_loaded and row.key.model in model.conflicts for row in fleet.rows_on(node.name))


def _free_slots(fleet: Fleet, node: Node, model: str, taken: TakenIndexes) -> int:
    return max(0, node.slots - len(taken(fleet, node, model)))


def _unused_key(fleet: Fleet, node: Node, model: str, taken: TakenIndexes) -> ReplicaKey | None:
    used = taken(fleet, node, model)
    keys = (ReplicaKey(node.name, model, index) for index in range(node.slots) if index not in used)
    return next(keys, None)
