"""Which node and index a new replica gets, rule by rule, and the known faults with their repair."""

import pytest

from sim.routing.errors import NoMatchingNode, NoReplica
from sim.routing.fleet import Node, NodeStatus, ReplicaRow
from sim.routing.loading.placement import (
    FAITHFUL,
    REPAIRED,
    PlacementRules,
    SlotsExhausted,
    matching_nodes,
    place,
)
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig
from tests.routing.loading.places import (
    ANYWHERE,
    BIG,
    BOTH_RULES,
    GIB,
    LOADING,
    SMALL,
    STAGING,
    UNLOADING,
    fleet_of,
    model,
    node,
    row,
)

# id: (nodes, rows, model, expected node and index)
TABLE: dict[str, tuple[list[Node], list[ReplicaRow], ModelConfig, str]] = {
    "a selector admits only its nodes": ([node("a", SMALL), node("b", BIG)], [], model(selector="big"), "b#0"),
    "a node needs every label of the selector": (
        [node("a", BIG), node("b", {**BIG, "zone": "eu", "rack": "7"})],
        [],
        ModelConfig("m", selector={**BIG, "zone": "eu"}),
        "b#0",
    ),
    "an empty selector admits all": ([node("a", SMALL), node("b", BIG, vram=8)], [], model(), "b#0"),
    "conflicts are avoided within a selector": (
        [node("a", BIG, vram=24), node("b", BIG)],
        [row("a", "x"), row("b", "y")],
        model(selector="big", conflicts=("z", "x")),
        "b#0",
    ),
    "if all nodes have conflicts, none counts": (
        [node("a", BIG, vram=24), node("b", BIG)],
        [row("a", "x"), row("b", "x")],
        model(selector="big", conflicts=("x",)),
        "a#0",
    ),
    "a conflicting model that is not loaded yet does not count": (
        [node("a", BIG, vram=24), node("b", BIG)],
        [row("a", "x", state=LOADING)],
        model(selector="big", conflicts=("x",)),
        "a#0",
    ),
    "disk goes before VRAM": (
        [node("a", vram=24, disk=(2 * GIB - 1, 100 * GIB)), node("b", disk=(2 * GIB, 100 * GIB))],
        [],
        model(),
        "b#0",
    ),
    "of a model that is all margin, the last byte counts": (
        [node("a", vram=24, disk=(1 * GIB, 100 * GIB)), node("b", disk=(1 * GIB + 1, 100 * GIB))],
        [],
        model(disk=1),
        "b#0",
    ),
    "a node that does not report its disk passes": ([node("a"), node("b", vram=8)], [], model(disk=100 * GIB), "b#0"),
    "a full node is passed over": ([node("a", vram=24), node("b")], [row("a", "m"), row("b", "x")], model(), "b#0"),
    "rows of other models take no slot": ([node("a", vram=24), node("b")], [row("a", "x")], model(needs=9), "a#0"),
    "a row that is staging takes a slot": (
        [node("a", vram=24), node("b")],
        [row("a", "m", state=STAGING)],
        model(),
        "b#0",
    ),
    "a row that is unloading takes none": (
        [node("a", vram=24), node("b")],
        [row("a", "m", state=UNLOADING)],
        model(),
        "a#0",
    ),
    "the lowest free index is used again": (
        [node("a", slots=3)],
        [row("a", "m", 0), row("a", "m", 2)],
        model(),
        "a#1",
    ),
    "indexes go by model": ([node("a", slots=2)], [row("a", "x", 0), row("a", "m", 0)], model(), "a#1"),
    "indexes go by node": ([node("a"), node("b", slots=2)], [row("a", "m", 0)], model(), "b#0"),
    "without a free slot anywhere an index below the slots still serves": (
        [node("a")],
        [row("a", "m", 1)],
        model(),
        "a#0",
    ),
    "an idle node before a loaded one with more VRAM": (
        [node("a", vram=80), node("b", vram=8)],
        [row("a", "x")],
        model(),
        "b#0",
    ),
    "of the idle ones the most VRAM": ([node("a", vram=8), node("b", vram=24)], [], model(), "b#0"),
    "of the loaded ones the least busy, over all their rows": (
        [node("a", vram=24), node("b")],
        [row("a", "x", busy=1), row("a", "y", busy=2), row("b", "x", busy=2)],
        model(),
        "b#0",
    ),
    "rows in other states count for how busy a loaded node is": (
        [node("a", vram=24), node("b")],
        [row("a", "x", busy=1), row("a", "y", busy=2, state=UNLOADING), row("b", "x", busy=2)],
        model(),
        "b#0",
    ),
    "of the equally busy the most VRAM": (
        [node("a", vram=8), node("b", vram=9)],
        [row("a", "x", busy=1), row("b", "x", busy=1)],
        model(),
        "b#0",
    ),
    "a full tie goes by name": ([node("b"), node("a")], [], model(), "a#0"),
    "a full tie of loaded nodes goes by name": (
        [node("b"), node("a")],
        [row("a", "x"), row("b", "x")],
        model(),
        "a#0",
    ),
    "a node where something is staging and loading is idle": (
        [node("a", vram=24), node("b", vram=8)],
        [row("a", "x", state=STAGING), row("a", "y", state=LOADING, busy=5)],
        model(),
        "a#0",
    ),
    "a loaded node that fits before an idle one that does not": (
        [node("a", vram=8), node("b", vram=24)],
        [row("b", "x", busy=3)],
        model(needs=16),
        "b#0",
    ),
    "of those that fit an idle one first": (
        [node("a", vram=80), node("b", vram=16)],
        [row("a", "x")],
        model(needs=16),
        "b#0",
    ),
    "of the loaded ones that fit the least busy": (
        [node("a", vram=80), node("b", vram=16)],
        [row("a", "x", busy=2), row("b", "x", busy=1)],
        model(needs=16),
        "b#0",
    ),
    "what is reserved does not fit": ([node("a", vram=24, reserved=9), node("b", vram=16)], [], model(needs=16), "b#0"),
    "of those that fit the most that is not reserved": (
        [node("a", vram=24, reserved=9), node("b", vram=16)],
        [],
        model(needs=8),
        "b#0",
    ),
    "of loaded ones that fit the most that is not reserved": (
        [node("a", vram=24, reserved=9), node("b", vram=16)],
        [row("a", "x"), row("b", "x")],
        model(needs=8),
        "b#0",
    ),
    "without a need the reserved is not subtracted": (
        [node("a", vram=24, reserved=9), node("b", vram=16)],
        [],
        model(),
        "a#0",
    ),
    "if none fits the reserved is not subtracted": (
        [node("a", vram=24, reserved=20), node("b", vram=16)],
        [],
        model(needs=30),
        "a#0",
    ),
    "if none fits an idle node first": ([node("a", vram=24), node("b")], [row("a", "x")], model(needs=30), "b#0"),
    "if none fits the least busy": (
        [node("a", vram=24), node("b")],
        [row("a", "x", busy=2), row("b", "x", busy=1)],
        model(needs=30),
        "b#0",
    ),
    "a shortage of VRAM never evicts": ([node("a")], [row("a", "x"), row("a", "y")], model(needs=80), "a#0"),
}


@BOTH_RULES
@pytest.mark.parametrize(("nodes", "rows", "config", "expected"), TABLE.values(), ids=TABLE)
def test_a_replica_goes_to(
    nodes: list[Node], rows: list[ReplicaRow], config: ModelConfig, expected: str, rules: PlacementRules
) -> None:
    key = place(fleet_of(nodes, rows), config, rules)

    assert isinstance(key, ReplicaKey)
    assert (str(key), key.model) == (expected, "m")


# id: (nodes, rows, model, outcome of LocalAI's rules, outcome of the repaired ones)
QUIRKS: dict[
    str, tuple[list[Node], list[ReplicaRow], ModelConfig, ReplicaKey | SlotsExhausted, ReplicaKey | SlotsExhausted]
] = {
    "without a selector conflicts are ignored": (
        [node("a", vram=24), node("b")],
        [row("a", "x"), row("b", "y", busy=1)],
        model(conflicts=("x",)),
        ReplicaKey("a", "m", 0),
        ReplicaKey("b", "m", 0),
    ),
    "without a free slot a row may be evicted even where the model must not go": (
        [node("a", SMALL), node("b", BIG), node("c", BIG)],
        [row("a", "x"), row("b", "m"), row("c", "m", state=LOADING)],
        model(selector="big"),
        SlotsExhausted(ANYWHERE),
        SlotsExhausted(("b", "c")),
    ),
    "nor is eviction to go where the disk is full": (
        [node("a", disk=(0, 100 * GIB)), node("b")],
        [row("a", "m"), row("b", "m")],
        model(),
        SlotsExhausted(ANYWHERE),
        SlotsExhausted(("b",)),
    ),
    "conflicts go before slots: a full node without one keeps the replica off a free node with one": (
        [node("a", BIG), node("b", BIG)],
        [row("a", "x"), row("b", "m")],
        model(selector="big", conflicts=("x",)),
        SlotsExhausted(ANYWHERE),
        SlotsExhausted(("b",)),
    ),
    "without a healthy node only eviction is left, which finds nothing": (
        [node("a", status=NodeStatus.UNHEALTHY)],
        [],
        model(disk=100 * GIB),
        SlotsExhausted(ANYWHERE),
        SlotsExhausted(()),
    ),
}


@pytest.mark.parametrize(("nodes", "rows", "config", "faithful", "repaired"), QUIRKS.values(), ids=QUIRKS)
def test_the_rules_differ_where_localai_errs(
    nodes: list[Node],
    rows: list[ReplicaRow],
    config: ModelConfig,
    faithful: ReplicaKey | SlotsExhausted,
    repaired: ReplicaKey | SlotsExhausted,
) -> None:
    fleet = fleet_of(nodes, rows)

    assert place(fleet, config, FAITHFUL) == faithful
    assert place(fleet, config, REPAIRED) == repaired


# id: nodes of which none matches the selector gpu=big
NOT_MATCHING: dict[str, list[Node]] = {
    "no node": [],
    "no label": [node("a")],
    "another value": [node("a", SMALL)],
    "another label": [node("a", {"cpu": "big"})],
}


@BOTH_RULES
@pytest.mark.parametrize("nodes", NOT_MATCHING.values(), ids=NOT_MATCHING)
def test_a_selector_that_matches_nothing_is_an_error(nodes: list[Node], rules: PlacementRules) -> None:
    with pytest.raises(NoMatchingNode, match="no healthy nodes match the selector of m"):
        place(fleet_of(nodes), model(selector="big"), rules)


@pytest.mark.parametrize("status", [status for status in NodeStatus if status is not NodeStatus.HEALTHY])
def test_only_healthy_nodes_match(status: NodeStatus) -> None:
    fleet = fleet_of([node("a", BIG, status=status), node("b", BIG)])

    assert [match.name for match in matching_nodes(fleet, BIG)] == ["b"]
    assert [match.name for match in matching_nodes(fleet, {})] == ["b"]


@BOTH_RULES
def test_without_disk_anywhere_there_is_no_place(rules: PlacementRules) -> None:
    fleet = fleet_of([node("a", disk=(21 * GIB - 1, 100 * GIB)), node("b", vram=8, disk=(0, 1))])

    with pytest.raises(NoReplica, match=f"no node has {21 * GIB} bytes of disk free for m"):
        place(fleet, model(disk=20 * GIB), rules)
