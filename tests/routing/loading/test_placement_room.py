"""How much room a node has for a replica: disk, slots and capacity."""

from dataclasses import replace

import pytest

from sim.routing.errors import NoFreeSlot
from sim.routing.fleet import Node, NodeStatus, ReplicaRow
from sim.routing.loading.placement import (
    FAITHFUL,
    capacity,
    needed_disk_bytes,
    no_disk_bytes,
    no_index,
    place,
    place_on,
)
from sim.routing.replica import ReplicaKey
from tests.routing.loading.places import BIG, GIB, LOADING, SMALL, UNLOADING, fleet_of, model, node, row


@pytest.mark.parametrize(
    ("payload_bytes", "expected_bytes"),
    [
        (0, 2 * GIB),
        (1, 1 * GIB + 1),
        (10 * GIB, 11 * GIB),
        (20 * GIB, 21 * GIB),
        (21 * GIB, 21 * GIB + 21 * GIB // 20),
        (100 * GIB, 105 * GIB),
    ],
)
def test_disk_needed_is_the_payload_and_a_margin(payload_bytes: int, expected_bytes: int) -> None:
    assert needed_disk_bytes(payload_bytes) == expected_bytes


def test_where_disk_is_ignored_a_node_that_is_full_takes_the_replica() -> None:
    fleet = fleet_of([node("a", vram=24, disk=(0, 100 * GIB)), node("b", vram=8, disk=(50 * GIB, 100 * GIB))])
    ignoring = replace(FAITHFUL, needed_disk_bytes=no_disk_bytes)

    assert place(fleet, model(disk=40 * GIB), FAITHFUL) == ReplicaKey("b", "m", 0)
    assert place(fleet, model(disk=40 * GIB), ignoring) == ReplicaKey("a", "m", 0)


# id: (slots of node a, rows, expected index on it; None if there is none)
SLOT_TABLE: dict[str, tuple[int, list[ReplicaRow], int | None]] = {
    "the first": (1, [], 0),
    "the next": (2, [row("a", "m", 0)], 1),
    "the lowest that a removal has freed": (4, [row("a", "m", 0), row("a", "m", 2), row("a", "m", 3)], 1),
    "all taken": (2, [row("a", "m", 0), row("a", "m", 1)], None),
    "taken by what is loading": (1, [row("a", "m", 0, state=LOADING)], None),
    "given up by what is unloading": (1, [row("a", "m", 0, state=UNLOADING)], 0),
    "of its own, whatever other models have": (1, [row("a", "x", 0)], 0),
    "of its own, whatever other nodes have": (1, [row("b", "m", 0)], 0),
}


@pytest.mark.parametrize(("slots", "rows", "expected"), SLOT_TABLE.values(), ids=SLOT_TABLE)
def test_the_index_on_a_given_node_is(slots: int, rows: list[ReplicaRow], expected: int | None) -> None:
    fleet = fleet_of([node("a", slots=slots), node("b")], rows)

    if expected is not None:
        assert place_on(fleet, "a", "m") == ReplicaKey("a", "m", expected)
        return
    with pytest.raises(NoFreeSlot, match="no free slot for m on a"):
        place_on(fleet, "a", "m")


def test_a_node_that_has_gone_has_no_slot() -> None:
    with pytest.raises(NoFreeSlot, match="no free slot for m on c"):
        place_on(fleet_of([node("a")]), "c", "m")


# id: (nodes, rows, selector, expected)
CAPACITY: dict[str, tuple[list[Node], list[ReplicaRow], str, int]] = {
    "no node": ([], [], "", 0),
    "one slot each, one of them loaded": ([node(name) for name in "abcd"], [row("a", "m")], "", 3),
    "rows of other models and rows that unload do not count": (
        [node(name) for name in "abcd"],
        [row("a", "m"), row("b", "x"), row("c", "m", state=UNLOADING)],
        "",
        3,
    ),
    "the sum over the nodes": ([node("a", slots=4), node("b", slots=3)], [row("a", "m", 1), row("b", "m")], "", 5),
    "rows in excess take nothing from other nodes": (
        [node("a"), node("b", slots=2)],
        [row("a", "m", 0), row("a", "m", 1), row("a", "m", 2)],
        "",
        2,
    ),
    "only matching nodes": ([node("a", BIG, slots=2), node("b", SMALL, slots=4)], [], "big", 2),
    "only healthy nodes": ([node("a", status=NodeStatus.OFFLINE), node("b", slots=2)], [], "", 2),
    "no matching node": ([node("a", SMALL)], [], "big", 0),
}


@pytest.mark.parametrize(("nodes", "rows", "selector", "expected"), CAPACITY.values(), ids=CAPACITY)
def test_capacity_is(nodes: list[Node], rows: list[ReplicaRow], selector: str, expected: int) -> None:
    assert capacity(fleet_of(nodes, rows), model(selector=selector)) == expected


def test_where_slots_are_ignored_a_full_node_takes_the_replica_in_place_of_its_first() -> None:
    fleet = fleet_of([node("a"), node("b", slots=2)], [row("a", "m"), row("b", "m")])
    ignoring = replace(FAITHFUL, taken_indexes=no_index)

    assert place(fleet, model(), FAITHFUL) == ReplicaKey("b", "m", 1)
    assert place(fleet, model(), ignoring) == ReplicaKey("a", "m", 0)
    assert capacity(fleet, model(), no_index) == 3
