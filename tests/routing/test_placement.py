"""Where a new replica goes."""

import pytest

from sim.routing.errors import NoReplica
from sim.routing.placement import place
from sim.routing.ports import NodeView

GB = 10**9


def node(name: str, free: int = 1, used: tuple[int, ...] = (), rows: int = 0, busy: int = 0, vram: int = 1) -> NodeView:
    return NodeView(name, free, used, rows, busy, vram * GB)


# id: (nodes, VRAM needed in GB, expected node and index)
TABLE: dict[str, tuple[list[NodeView], int, str]] = {
    "an idle node before a loaded one with more VRAM": ([node("a", rows=1, vram=80), node("b", vram=8)], 0, "b#0"),
    "of the idle ones the most free VRAM": ([node("a", vram=8), node("b", vram=24)], 0, "b#0"),
    "of the loaded ones the least busy": ([node("a", rows=1, busy=3), node("b", rows=9, busy=1)], 0, "b#0"),
    "then the most free VRAM": ([node("a", rows=1, vram=8), node("b", rows=1, vram=9)], 0, "b#0"),
    "a full tie goes by name": ([node("a"), node("b")], 0, "a#0"),
    "a loaded node that fits before an idle one that does not": (
        [node("a", vram=8), node("b", rows=1, vram=24)],
        16,
        "b#0",
    ),
    "if none fits the best is over-committed": ([node("a", vram=8), node("b", vram=9)], 16, "b#0"),
    "the lowest free index is used again": ([node("a", used=(0, 2))], 0, "a#1"),
    "a full node is passed over": ([node("a", free=0, vram=99), node("b", rows=1)], 0, "b#0"),
}


@pytest.mark.parametrize(("nodes", "needed_gb", "expected"), TABLE.values(), ids=TABLE)
def test_a_replica_goes_to(nodes: list[NodeView], needed_gb: int, expected: str) -> None:
    key = place(nodes, "m", needed_gb * GB)

    assert (str(key), key.model) == (expected, "m")


@pytest.mark.parametrize("nodes", [[], [node("a", free=0)]], ids=["no node", "no slot"])
def test_without_a_free_slot_there_is_no_place(nodes: list[NodeView]) -> None:
    with pytest.raises(NoReplica, match="no node has a free slot for m"):
        place(nodes, "m", 0)
