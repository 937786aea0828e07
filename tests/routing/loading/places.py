"""Fleets and models to place."""

from collections.abc import Mapping, Sequence

import pytest

from sim.routing.fleet import Fleet, Node, NodeStatus, ReplicaRow, RowState
from sim.routing.loading.placement import FAITHFUL, REPAIRED
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig

GB = 10**9

GIB = 1 << 30

LOADED, LOADING, STAGING, UNLOADING = RowState.LOADED, RowState.LOADING, RowState.STAGING, RowState.UNLOADING

BOTH_RULES = pytest.mark.parametrize("rules", [FAITHFUL, REPAIRED], ids=["faithful", "repaired"])


def node(
    name: str,
    labels: Mapping[str, str] | None = None,
    *,
    slots: int = 1,
    vram: int = 0,
    reserved: int = 0,
    disk: tuple[int, int] = (0, 0),
    status: NodeStatus = NodeStatus.HEALTHY,
) -> Node:
    """Return a node; VRAM in GB, disk as the bytes available and in total."""
    return Node(name, status, f"{name}:1", slots, labels or {}, 0, vram * GB, reserved * GB, disk[1], disk[0])


def row(
    node_name: str, model: str, index: int = 0, *, state: RowState = LOADED, busy: int = 0, revision: str = ""
) -> ReplicaRow:
    key = ReplicaKey(node_name, model, index)
    return ReplicaRow(f"{key} of {model}", key, "", state, busy, 0, 0, revision)


def fleet_of(nodes: Sequence[Node], rows: Sequence[ReplicaRow] = ()) -> Fleet:
    return Fleet(nodes, rows, {}, {})


def model(*, needs: int = 0, disk: int = 0, selector: str = "", conflicts: tuple[str, ...] = ()) -> ModelConfig:
    """Return the model m; VRAM in GB, disk in bytes, the selector as the value of the label gpu."""
    labels = {"gpu": selector} if selector else {}
    return ModelConfig("m", vram_bytes=needs * GB, disk_bytes=disk, selector=labels, conflicts=conflicts)


BIG, SMALL = {"gpu": "big"}, {"gpu": "small"}

ANYWHERE: tuple[str, ...] = ()
