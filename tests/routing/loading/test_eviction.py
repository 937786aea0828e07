"""Which row is evicted: the rules by name, a twin in SQL, and what eviction and placement do together."""

import random
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.fleet import Fleet, Node, NodeStatus, ReplicaRow, RowState
from sim.routing.loading.eviction import least_recently_used
from sim.routing.loading.placement import FAITHFUL, REPAIRED, SlotsExhausted, place, place_on
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig

NOT_HEALTHY = [status for status in NodeStatus if status is not NodeStatus.HEALTHY]
NOT_LOADED = [state for state in RowState if state is not RowState.LOADED]

BIG = {"gpu": "big"}


def node(name: str, status: NodeStatus = NodeStatus.HEALTHY, gpu: str = "big") -> Node:
    return Node(name, status, "", 1, {"gpu": gpu}, 0, 0, 0, 0, 0)


def row(
    row_id: str,
    model: str = "m",
    *,
    on: str = "a",
    used: int = 0,
    busy: int = 0,
    state: RowState = RowState.LOADED,
    revision: str = "",
) -> ReplicaRow:
    return ReplicaRow(row_id, ReplicaKey(on, model, 0), "", state, busy, used, 0, revision)


def fleet_of(rows: Sequence[ReplicaRow], nodes: Sequence[Node] = ()) -> Fleet:
    return Fleet(nodes or [node("a"), node("b")], rows, {}, {})


UNBOUNDED = ModelConfig("m")
MIN_0_MAX_2 = ModelConfig("m", min_replicas=0, max_replicas=2)
MIN_1 = ModelConfig("m", min_replicas=1)
MIN_2 = ModelConfig("m", min_replicas=2)
MAX_2 = ModelConfig("m", max_replicas=2)
SPREAD = ModelConfig("m", spread=True)

# id: (rows, the model m, nodes named, expected id)
TABLE: dict[str, tuple[list[ReplicaRow], ModelConfig, tuple[str, ...], str | None]] = {
    "of no rows none": ([], UNBOUNDED, (), None),
    "the least recently used": ([row("1", used=3), row("2", used=1), row("3", used=2)], UNBOUNDED, (), "2"),
    "of any model": ([row("1", used=3), row("2", "x", used=1)], UNBOUNDED, (), "2"),
    "a tie goes by id": ([row("2"), row("1", "x"), row("3")], UNBOUNDED, (), "1"),
    "not one that is busy": ([row("1", used=1, busy=1), row("2", used=2)], UNBOUNDED, (), "2"),
    "none if all are busy": ([row("1", busy=1), row("2", busy=2)], UNBOUNDED, (), None),
    "the last of a model without bounds": ([row("1")], UNBOUNDED, (), "1"),
    "not the last of a model with a minimum of 1": ([row("1"), row("2", "x", used=9)], MIN_1, (), "2"),
    "the last but one of a model with a minimum of 1": ([row("1"), row("2", used=1)], MIN_1, (), "1"),
    "not below a minimum of 2": ([row("1"), row("2", used=1)], MIN_2, (), None),
    "above a minimum of 2": ([row("1"), row("2"), row("3")], MIN_2, (), "1"),
    "the last of a model with a minimum of 0": ([row("1")], MIN_0_MAX_2, (), "1"),
    "the last of a model with a maximum only": ([row("1")], MAX_2, (), "1"),
    "not the last of a model that is spread": ([row("1")], SPREAD, (), None),
    "the last but one of a model that is spread": ([row("1"), row("2")], SPREAD, (), "1"),
    "busy rows count as loaded": ([row("1", busy=1), row("2", used=1)], MIN_1, (), "2"),
    "rows that are not loaded do not": ([row("1"), row("2", state=RowState.LOADING)], MIN_1, (), None),
    "rows of other models do not": ([row("1"), row("2", "x", busy=1)], MIN_1, (), None),
    "rows on other nodes than those named do": ([row("1"), row("2", on="b")], MIN_1, ("b",), "2"),
    "only on the nodes named": ([row("1"), row("2", on="b", used=9)], UNBOUNDED, ("b", "c"), "2"),
    "none if there is none on the nodes named": ([row("1")], UNBOUNDED, ("b",), None),
}


@pytest.mark.parametrize(("rows", "config", "nodes", "expected"), TABLE.values(), ids=TABLE)
def test_evicts(rows: list[ReplicaRow], config: ModelConfig, nodes: tuple[str, ...], expected: str | None) -> None:
    evicted = least_recently_used(fleet_of(rows), {"m": config}, nodes)

    assert (evicted.id if evicted else None) == expected


@pytest.mark.parametrize("state", NOT_LOADED)
def test_only_loaded_rows_are_evicted(state: RowState) -> None:
    fleet = fleet_of([row("1", state=state), row("2", used=9)])

    assert least_recently_used(fleet, {}) == row("2", used=9)


def test_a_row_of_an_old_revision_is_not_evicted_and_does_not_count_for_the_floor() -> None:
    rows = [row("1", revision="old"), row("2", used=1, revision="new"), row("3", "x", used=2)]
    fleet = replace(fleet_of(rows), revisions={"m": "new"})

    assert [least_recently_used(fleet, {"m": floor}) for floor in (UNBOUNDED, MIN_1)] == [rows[1], rows[2]]


@pytest.mark.parametrize("status", NOT_HEALTHY)
def test_only_rows_on_healthy_nodes_are_evicted_but_all_count_for_the_floor(status: NodeStatus) -> None:
    fleet = fleet_of([row("1"), row("2", on="b", used=9)], [node("a", status), node("b")])

    assert least_recently_used(fleet, {"m": MIN_1}) == row("2", on="b", used=9)
    assert least_recently_used(fleet, {"m": MIN_1}, ("a",)) is None


FULL = fleet_of([row("1", "x"), row("2", on="b", busy=1)], [node("a", gpu="small"), node("b")])
PICKY = ModelConfig("m", selector=BIG)


def test_localai_places_outside_the_selector_once_it_has_evicted_a_row_there() -> None:
    exhausted = place(FULL, PICKY, FAITHFUL)
    assert isinstance(exhausted, SlotsExhausted)
    evicted = least_recently_used(FULL, {}, exhausted.evict_from)
    assert evicted is not None
    rest = replace(FULL, rows=[kept for kept in FULL.rows if kept is not evicted])

    assert place_on(rest, evicted.key.node, "m") == ReplicaKey("a", "m", 0)


def test_the_repaired_rules_find_nothing_to_evict_there() -> None:
    exhausted = place(FULL, PICKY, REPAIRED)
    assert isinstance(exhausted, SlotsExhausted)

    assert least_recently_used(FULL, {}, exhausted.evict_from) is None


few = st.integers(0, 2)
bounds = st.none() | few


@st.composite
def model_configs(draw: st.DrawFn) -> dict[str, ModelConfig]:
    names = draw(st.sets(st.sampled_from("mxy")))
    return {
        name: ModelConfig(name, min_replicas=draw(bounds), max_replicas=draw(bounds), spread=draw(st.booleans()))
        for name in sorted(names)
    }


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    nodes = [node(name, draw(st.sampled_from([NodeStatus.HEALTHY, *NodeStatus]))) for name in "abc"]
    rows = [
        row(
            f"row-{number}",
            draw(st.sampled_from("mxyz")),
            on=draw(st.sampled_from("abc")),
            used=draw(few),
            busy=draw(st.sampled_from([0, 0, 1])),
            state=draw(st.sampled_from([RowState.LOADED, RowState.LOADED, *RowState])),
        )
        for number in range(draw(st.integers(0, 7)))
    ]
    return fleet_of(rows, nodes)


EVICTED = """
    select rows.id from rows join nodes on nodes.name = rows.node
    where rows.state = 'loaded' and rows.in_flight = 0 and nodes.status = 'healthy' and (
        not exists (select 1 from models where models.name = rows.model
                    and (least > 0 or most > 0 or spread))
        or (select count(*) from rows as others where others.model = rows.model and others.state = 'loaded')
           > (select coalesce(least, iif(most > 0, 0, 1)) from models where models.name = rows.model))
    order by last_used, rows.id limit 1
"""


@given(fleets(), model_configs())
def test_the_same_row_is_evicted_in_sql(fleet: Fleet, models: dict[str, ModelConfig]) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("create table nodes (name text, status text)")
    database.execute("create table models (name text, least int, most int, spread int)")
    database.execute("create table rows (id text, node text, model text, state text, in_flight int, last_used int)")
    database.executemany("insert into nodes values (?, ?)", [(each.name, each.status) for each in fleet.nodes])
    database.executemany(
        "insert into models values (?, ?, ?, ?)",
        [(each.name, each.min_replicas, each.max_replicas, each.spread) for each in models.values()],
    )
    database.executemany(
        "insert into rows values (?, ?, ?, ?, ?, ?)",
        [(r.id, r.key.node, r.key.model, r.state, r.in_flight, r.last_used_ns) for r in fleet.rows],
    )
    found = database.execute(EVICTED).fetchone()
    database.close()

    evicted = least_recently_used(fleet, models)

    assert (evicted.id if evicted else None) == (found[0] if found else None)


@given(fleets(), model_configs(), st.randoms(use_true_random=False))
def test_the_row_does_not_depend_on_the_order_of_the_reading(
    fleet: Fleet, models: dict[str, ModelConfig], shuffler: random.Random
) -> None:
    shuffled = fleet_of(shuffler.sample(fleet.rows, len(fleet.rows)), shuffler.sample(fleet.nodes, 3))

    assert least_recently_used(shuffled, models) == least_recently_used(fleet, models)


@given(fleets(), model_configs(), st.sets(st.sampled_from("abc"), min_size=1).map(sorted))
def test_naming_nodes_is_the_same_as_having_no_other_healthy_ones(
    fleet: Fleet, models: dict[str, ModelConfig], names: list[str]
) -> None:
    only_they = [each if each.name in names else replace(each, status=NodeStatus.UNHEALTHY) for each in fleet.nodes]

    assert least_recently_used(fleet, models, names) == least_recently_used(replace(fleet, nodes=only_they), models)


@given(fleets(), model_configs())
def test_evicting_for_ever_ends_at_the_floor_of_each_model(fleet: Fleet, models: dict[str, ModelConfig]) -> None:
    rest = fleet
    while (evicted := least_recently_used(rest, models)) is not None:
        rest = replace(rest, rows=[kept for kept in rest.rows if kept is not evicted])

    healthy = [each.name for each in fleet.nodes if each.is_healthy]
    for name in "mxyz":
        floor = models[name].eviction_floor if name in models else None
        untouchable = [kept for kept in fleet.loaded(name) if kept.in_flight or kept.key.node not in healthy]
        least = max(len(untouchable), min(floor or 0, len(fleet.loaded(name))))
        assert len(rest.loaded(name)) == least
