"""Where a new replica goes: every rule by name, the known faults and their repair, and a twin in SQL."""

import random
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sim.routing.errors import NoFreeSlot, NoMatchingNode, NoReplica
from sim.routing.fleet import Fleet, Node, ReplicaRow
from sim.routing.loading.placement import (
    FAITHFUL,
    REPAIRED,
    PlacementRules,
    SlotsExhausted,
    capacity,
    ignore_disk,
    matching_nodes,
    needed_disk_bytes,
    place,
    place_on,
)
from sim.routing.model_config import ModelConfig
from sim.routing.replica import ReplicaKey
from sim.routing.states import NodeStatus, RowState

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
def test_without_disk_anywhere_there_is_no_place_unless_disk_is_ignored(rules: PlacementRules) -> None:
    fleet = fleet_of([node("a", disk=(21 * GIB - 1, 100 * GIB)), node("b", vram=8, disk=(0, 1))])

    with pytest.raises(NoReplica, match=f"no node has {21 * GIB} bytes of disk free for m"):
        place(fleet, model(disk=20 * GIB), rules)
    assert place(fleet, model(disk=20 * GIB), replace(rules, disk=ignore_disk)) == ReplicaKey("b", "m", 0)


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


few = st.integers(0, 2)
one_to_three = st.integers(1, 3)
models = st.builds(
    model,
    needs=st.integers(0, 3),
    disk=st.sampled_from([0, 5 * GIB]),
    selector=st.sampled_from(["", "", "big"]),
    conflicts=st.sampled_from([(), ("x",), ("x", "y")]),
)


@st.composite
def fleets(draw: st.DrawFn, slots: st.SearchStrategy[int] = one_to_three) -> Fleet:
    """Draw up to four nodes, most of them healthy, with rows of three models in all states."""
    nodes = [
        node(
            name,
            draw(st.sampled_from([BIG, SMALL])),
            slots=draw(slots),
            vram=draw(st.integers(0, 4)),
            reserved=draw(few),
            disk=(draw(st.sampled_from([0, 6 * GIB])), draw(st.sampled_from([0, 100 * GIB]))),
            status=draw(st.sampled_from([NodeStatus.HEALTHY, NodeStatus.HEALTHY, NodeStatus.UNHEALTHY])),
        )
        for name in draw(st.sampled_from(["", "a", "ab", "abc", "abcd"]))
    ]
    rows = [
        row(each.name, name, index, state=draw(st.sampled_from([LOADED, LOADED, *RowState])), busy=draw(few))
        for each in nodes
        for name in "mxy"
        for index in sorted(draw(st.sets(few)))
    ]
    return fleet_of(nodes, rows)


any_rules = st.sampled_from([FAITHFUL, REPAIRED])


def outcome(fleet: Fleet, config: ModelConfig, rules: PlacementRules) -> ReplicaKey | SlotsExhausted | type[NoReplica]:
    try:
        return place(fleet, config, rules)
    except NoReplica as error:
        return type(error)


@given(fleets(), models, any_rules)
def test_a_place_is_on_a_node_that_matches_and_has_the_disk_at_an_index_that_nobody_holds(
    fleet: Fleet, config: ModelConfig, rules: PlacementRules
) -> None:
    key = outcome(fleet, config, rules)
    assume(isinstance(key, ReplicaKey))
    assert isinstance(key, ReplicaKey)

    chosen = next(each for each in fleet.nodes if each.name == key.node)
    assert chosen.status is NodeStatus.HEALTHY
    assert all(chosen.labels.get(label) == value for label, value in config.selector.items())
    assert chosen.total_disk_bytes == 0 or chosen.available_disk_bytes >= (6 * GIB if config.disk_bytes else 2 * GIB)
    assert key.replica_index in range(chosen.slots)
    assert not [held for held in fleet.rows if held.key == key and held.state is not UNLOADING]


@given(fleets(), models)
def test_the_repaired_rules_evict_only_where_the_model_may_go(fleet: Fleet, config: ModelConfig) -> None:
    exhausted = outcome(fleet, config, REPAIRED)
    assume(isinstance(exhausted, SlotsExhausted))
    assert isinstance(exhausted, SlotsExhausted)

    allowed = [each for each in fleet.nodes if each.name in exhausted.evict_from]
    assert all(each.status is NodeStatus.HEALTHY for each in allowed)
    assert all(each.labels["gpu"] == config.selector.get("gpu", each.labels["gpu"]) for each in allowed)
    # None named means any node, so there must be none to exclude.
    assert allowed or not matching_nodes(fleet, {})


@given(fleets(), models)
def test_the_repaired_rules_share_a_node_with_a_conflict_only_if_every_matching_node_has_one(
    fleet: Fleet, config: ModelConfig
) -> None:
    key = outcome(fleet, config, REPAIRED)
    assume(isinstance(key, ReplicaKey))
    assert isinstance(key, ReplicaKey)

    conflicted = {held.key.node for held in fleet.rows if held.is_loaded and held.key.model in config.conflicts}
    matching = {each.name for each in matching_nodes(fleet, config.selector)}
    assert key.node not in conflicted or matching <= conflicted


@given(fleets(), models, any_rules, st.integers(0, 80))
def test_another_full_node_changes_no_choice_of_a_model_without_conflicts(
    fleet: Fleet, config: ModelConfig, rules: PlacementRules, vram: int
) -> None:
    config = replace(config, conflicts=())
    key = outcome(fleet, config, rules)
    assume(isinstance(key, ReplicaKey))
    assert isinstance(key, ReplicaKey)
    assume(capacity(replace(fleet, nodes=[each for each in fleet.nodes if each.name == key.node]), config))

    wider = fleet_of([node("0", BIG, vram=vram), *fleet.nodes], [row("0", "m"), *fleet.rows])

    assert outcome(wider, config, rules) == key
    assert capacity(wider, config) == capacity(fleet, config)


@given(fleets(), models, any_rules)
def test_nodes_that_are_not_healthy_might_as_well_not_be_there(
    fleet: Fleet, config: ModelConfig, rules: PlacementRules
) -> None:
    healthy = [each for each in fleet.nodes if each.status is NodeStatus.HEALTHY]
    names = [each.name for each in healthy]
    narrower = fleet_of(healthy, [held for held in fleet.rows if held.key.node in names])

    assert outcome(narrower, config, rules) == outcome(fleet, config, rules)


@given(fleets(), models, st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_of_the_reading(
    fleet: Fleet, config: ModelConfig, shuffler: random.Random
) -> None:
    shuffled = fleet_of(shuffler.sample(fleet.nodes, len(fleet.nodes)), shuffler.sample(fleet.rows, len(fleet.rows)))

    assert outcome(shuffled, config, FAITHFUL) == outcome(fleet, config, FAITHFUL)


@given(fleets(slots=st.just(3)), models)
def test_capacity_is_the_number_of_replicas_that_can_be_placed(fleet: Fleet, config: ModelConfig) -> None:
    rules = replace(FAITHFUL, disk=ignore_disk)
    config = replace(config, conflicts=())
    rows, placed = list(fleet.rows), 0

    while isinstance(key := outcome(fleet_of(fleet.nodes, rows), config, rules), ReplicaKey):
        rows = [held for held in rows if held.key != key] + [row(key.node, "m", key.replica_index)]
        placed += 1

    assert placed == capacity(fleet, config)


CANDIDATES = """
    with used as (select node, count(*) as n from rows where model = 'm' and state <> 'unloading' group by node)
    select name from nodes left join used on node = name
    where status = 'healthy' and (? or coalesce(n, 0) < slots)
"""
BEST = """
    with load as (select node, sum(in_flight) as total, max(state = 'loaded') as loaded from rows group by node)
    select name from nodes left join load on node = name
    where name in ({candidates}) and coalesce(loaded, 0) = ? and vram - ? * reserved >= ?
    order by iif(?, 0, coalesce(total, 0)), vram - ? * reserved desc, name limit 1
"""


def place_in_sql(fleet: Fleet, needed_bytes: int) -> str | None:
    """Return the node of a model without selector, conflicts and disk: one query after the other, as LocalAI asks."""
    database = sqlite3.connect(":memory:")
    database.execute("create table nodes (name text, status text, slots int, vram int, reserved int)")
    database.execute("create table rows (node text, model text, state text, in_flight int)")
    database.executemany(
        "insert into nodes values (?, ?, ?, ?, ?)",
        [(n.name, n.status, n.slots, n.available_vram_bytes, n.reserved_vram_bytes) for n in fleet.nodes],
    )
    database.executemany(
        "insert into rows values (?, ?, ?, ?)", [(r.key.node, r.key.model, r.state, r.in_flight) for r in fleet.rows]
    )
    names = database.execute(CANDIDATES, [False]).fetchall() or database.execute(CANDIDATES, [True]).fetchall()
    best = BEST.format(candidates=", ".join(f"'{name}'" for (name,) in names))
    fit = [(loaded, 1, needed_bytes, not loaded, 1) for loaded in (0, 1)] if needed_bytes else []
    over_committed = [(loaded, 0, 0, not loaded, 0) for loaded in (0, 1)]
    found = [database.execute(best, arguments).fetchone() for arguments in fit + over_committed]
    database.close()
    return next((name for (name,) in filter(None, found)), None)


@given(fleets(), st.integers(0, 3))
def test_the_same_node_is_chosen_in_sql(fleet: Fleet, needed_gb: int) -> None:
    expected = place_in_sql(fleet, needed_gb * GB)

    found = outcome(fleet, model(needs=needed_gb), replace(FAITHFUL, disk=ignore_disk))

    if isinstance(found, ReplicaKey):
        assert found.node == expected
        return
    assert found == SlotsExhausted(ANYWHERE)
    assert expected is None or not capacity(fleet, model())


# id: (revision of the row a#0, the model's current one, where the next replica goes, free slots)
REVISIONS: dict[str, tuple[str, Mapping[str, str], str, int]] = {
    "the current one": ("new", {"m": "new"}, "a#1", 1),
    "an old one": ("old", {"m": "new"}, "a#0", 2),
    "none, where there is one": ("", {"m": "new"}, "a#0", 2),
    "one, where none is current": ("old", {"x": "new"}, "a#1", 1),
}


@BOTH_RULES
@pytest.mark.parametrize(("revision", "current", "expected", "free"), REVISIONS.values(), ids=REVISIONS)
def test_a_row_of_another_revision_than_the_current_one_holds_no_slot(
    revision: str, current: Mapping[str, str], expected: str, free: int, rules: PlacementRules
) -> None:
    fleet = replace(fleet_of([node("a", slots=2)], [row("a", "m", revision=revision)]), revisions=current)

    assert str(place(fleet, model(), rules)) == str(place_on(fleet, "a", "m")) == expected
    assert capacity(fleet, model()) == free
