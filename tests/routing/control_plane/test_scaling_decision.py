"""What the replica pass decides for a model, over one reading of the registry."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.control_plane.replica_pass import Addition, Removal, Scaling, Setback, scaling_of
from sim.routing.fleet import Cooldown, Fleet, Node, NodeStatus, ReplicaRow, RowState
from sim.routing.loading.placement import capacity, matching_nodes, no_index
from sim.routing.replica import ReplicaKey
from sim.routing.settings import LoadInfoName, ModelConfig, ReconcilerSettings
from sim.routing.strategies import LOAD_INFO
from sim.scenario.spec.control_plane import ReconcilerSpec
from tests.drivers import SECOND
from tests.routing.control_plane.replica_passes import BIG, DEFAULTS, LATELY, LONG_AGO, MINUTE, NOW, bounded

FAR = 10**9

LOADING, UNLOADING = RowState.LOADING, RowState.UNLOADING


def node(name: str, slots: int = 1, gpu: str = "small", status: NodeStatus = NodeStatus.HEALTHY) -> Node:
    return Node(name, status, "", slots, {"gpu": gpu}, 0, 0, 0, 0, 0)


def nodes(names: str) -> list[Node]:
    return [node(name) for name in names]


def row(
    on: str, index: int = 0, *, model: str = "m", busy: int = 0, used: int = LATELY, state: RowState = RowState.LOADED
) -> ReplicaRow:
    key = ReplicaKey(on, model, index)
    return ReplicaRow(f"{key} of {model}", key, "", state, busy, used, used)


def fleet_of(
    nodes: Sequence[Node], rows: Sequence[ReplicaRow] = (), cooldowns: Mapping[str, Cooldown] | None = None
) -> Fleet:
    return Fleet(nodes, rows, {}, cooldowns or {})


def decided(
    fleet: Fleet, model: ModelConfig, disturbs: int = 0, settings: ReconcilerSettings = DEFAULTS
) -> Scaling | None:
    return scaling_of(fleet, model, NOW, disturbs, settings)


def told(scaling: Scaling | None) -> object:
    """Return the decision, a removal as the replicas that go, in order."""
    return [str(gone.key) for gone in scaling.rows] if isinstance(scaling, Removal) else scaling


IDLE_3 = [row("a", used=LONG_AGO), row("b", used=LONG_AGO - 2), row("c", used=LONG_AGO - 1)]

BUSY_2 = [row("a", busy=1), row("b", busy=1)]

ONE_MORE = Addition(1, "busy")

FOR_PRESSURE = Addition(1, "pressure")

FIRST_SETBACK = Setback(Cooldown(1, 0))

# id: (nodes, rows, model, disturbs, expected); LocalAI's own.
PUBLISHED: dict[str, tuple[list[Node], list[ReplicaRow], ModelConfig, int, object]] = {
    "a minimum of 2 with one slot in all gets one": (nodes("a"), [], bounded(2), 0, Addition(1, "below_minimum")),
    "a minimum of 2 with its only slot taken gets none": (nodes("a"), [row("a")], bounded(2), 0, FIRST_SETBACK),
    "2 of 2 busy below a maximum of 3 get a third": (nodes("abc"), BUSY_2, bounded(1, 3), 0, ONE_MORE),
    "2 of 2 busy at a maximum of 2 get none": (nodes("abc"), BUSY_2, bounded(1, 2), 0, None),
    "3 idle for long above a minimum of 1 lose two": (nodes("abc"), IDLE_3, bounded(1), 0, ["b#0", "c#0"]),
    "busy and under pressure is one reason": (nodes("abc"), BUSY_2, bounded(1, 4), 9, ONE_MORE),
    "pressure at the maximum adds none": (nodes("abc"), [row("a"), row("b")], bounded(1, 2), 1, None),
}

# The same, beyond the published ones.
BELOW_MINIMUM: dict[str, tuple[list[Node], list[ReplicaRow], ModelConfig, int, object]] = {
    "what is missing, not more": (nodes("abc"), [row("a")], bounded(2), 0, Addition(1, "below_minimum")),
    "all that is missing at once": (nodes("abc"), [], bounded(3), 0, Addition(3, "below_minimum")),
    "rows that are not loaded are missing": (
        [node("a", slots=2)],
        [row("a", state=LOADING)],
        bounded(1),
        0,
        Addition(1, "below_minimum"),
    ),
    "rows that are not loaded take slots": (nodes("a"), [row("a", state=LOADING)], bounded(1), 0, FIRST_SETBACK),
    "rows of other models do not count": (
        nodes("a"),
        [row("a", model="x")],
        bounded(1),
        0,
        Addition(1, "below_minimum"),
    ),
    "nor are there slots on nodes without the labels": (
        [node("a", gpu="big"), node("b", slots=9)],
        [],
        replace(bounded(2), selector=BIG),
        0,
        Addition(1, "below_minimum"),
    ),
    "no node with the labels is no slot": (nodes("ab"), [], replace(bounded(1), selector=BIG), 0, FIRST_SETBACK),
    "no healthy node is no slot": ([node("a", status=NodeStatus.UNHEALTHY)], [], bounded(1), 0, FIRST_SETBACK),
    "the minimum goes before busyness": (nodes("abc"), [row("a", busy=1)], bounded(3), 9, Addition(2, "below_minimum")),
    "the minimum goes before idleness": (nodes("ab"), IDLE_3[:1], bounded(2), 0, Addition(1, "below_minimum")),
}

SPREAD = ModelConfig("m", spread=True)

SPREAD_OUT: dict[str, tuple[list[Node], list[ReplicaRow], ModelConfig, int, object]] = {
    "one for each node": (nodes("abc"), [row("b")], SPREAD, 0, Addition(2, "below_minimum")),
    "for each healthy node": (
        [node("a"), node("b", status=NodeStatus.UNHEALTHY)],
        [],
        SPREAD,
        0,
        Addition(1, "below_minimum"),
    ),
    "for each node with the labels": (
        [node("a", gpu="big"), node("b")],
        [],
        replace(SPREAD, selector=BIG),
        0,
        Addition(1, "below_minimum"),
    ),
    "with no node the model is left alone": (nodes("ab"), [], replace(SPREAD, selector=BIG), 0, None),
    "with no node even idle replicas stay": (nodes("ab"), IDLE_3, replace(SPREAD, selector=BIG), 0, None),
    "never more than nodes, though busy": ([node("a", slots=2)], [row("a", busy=1)], SPREAD, 9, None),
    "written bounds do not count": (
        nodes("ab"),
        [],
        replace(SPREAD, min_replicas=1, max_replicas=1),
        0,
        Addition(2, "below_minimum"),
    ),
    "what is too much goes once idle": (
        [node("a", slots=2)],
        [row("a", used=LONG_AGO), row("a", 1, used=LONG_AGO)],
        SPREAD,
        0,
        ["a#1"],
    ),
}

ONE_MORE_OR_NOT: dict[str, tuple[list[Node], list[ReplicaRow], ModelConfig, int, object]] = {
    "one idle replica is enough": (nodes("abc"), [row("a", busy=9), row("b")], bounded(1), 0, None),
    "an idle one that loads still does not count": (
        nodes("abc"),
        [row("a", busy=1), row("b", state=LOADING)],
        bounded(1),
        0,
        ONE_MORE,
    ),
    "without a maximum there is no limit but slots": (nodes("abc"), BUSY_2, bounded(1), 0, ONE_MORE),
    "a maximum of 0 is none": (nodes("abc"), BUSY_2, bounded(1, 0), 0, ONE_MORE),
    "a maximum alone is enough to be looked after": (nodes("ab"), BUSY_2[:1], bounded(None, 2), 0, ONE_MORE),
    "none busy of none": (nodes("abc"), [], bounded(None, 2), 0, None),
    "without a slot none is added, and that is no setback": (nodes("ab"), BUSY_2, bounded(1), 0, None),
    "pressure adds one beside an idle replica": (nodes("abc"), [row("a"), row("b")], bounded(1), 1, FOR_PRESSURE),
    "no more for more pressure": (nodes("abcd"), [row("a")], bounded(1), 99, FOR_PRESSURE),
    "no pressure adds none": (nodes("abc"), [row("a")], bounded(1), 0, None),
    "pressure adds none to none": (nodes("abc"), [], bounded(None, 2), 1, None),
    "pressure without a slot adds none": (nodes("a"), [row("a")], bounded(1), 1, None),
    "without a slot pressure still keeps idle replicas": (nodes("abc"), IDLE_3, bounded(1), 1, None),
}

LOSES: dict[str, tuple[list[Node], list[ReplicaRow], ModelConfig, int, object]] = {
    "down to the minimum": (nodes("abc"), IDLE_3, bounded(2), 0, ["b#0"]),
    "the last one stays without a minimum": (nodes("abc"), IDLE_3, bounded(None, 4), 0, ["b#0", "c#0"]),
    "the last one stays though the minimum is 0": (nodes("a"), IDLE_3[:1], bounded(0, 4), 0, None),
    "the highest index first, then the least recently used": (
        [node("a", 3), node("b", 3)],
        [
            row("a", 0, used=LONG_AGO - 9),
            row("a", 2, used=LONG_AGO),
            row("b", 1, used=LONG_AGO - 1),
            row("b", 2, used=LONG_AGO - 1),
        ],
        bounded(1),
        0,
        ["b#2", "a#2", "b#1"],
    ),
    "a tie goes by row id": ([node("a"), node("b")], [row("b", used=0), row("a", used=0)], bounded(1), 0, ["a#0"]),
    "one in use stays and counts": (
        nodes("abc"),
        [row("a", busy=1, used=LONG_AGO), row("b", used=LONG_AGO), row("c", used=LONG_AGO)],
        bounded(2),
        0,
        ["b#0"],
    ),
    "one used lately stays": (nodes("ab"), [row("a", used=LATELY), row("b", used=LONG_AGO)], bounded(1), 0, ["b#0"]),
    "nothing goes if all were used lately": (nodes("ab"), [row("a"), row("b")], bounded(1), 0, None),
    "exactly 5 minutes are not enough": (nodes("ab"), [row("a", used=NOW - 5 * MINUTE)] * 2, bounded(1), 0, None),
    "rows that are not loaded neither go nor count": (
        nodes("abc"),
        [row("a", used=LONG_AGO), row("b", used=LONG_AGO, state=UNLOADING)],
        bounded(1),
        0,
        None,
    ),
    "pressure at the maximum does not hold them back": (nodes("abc"), IDLE_3, bounded(1, 3), 1, ["b#0", "c#0"]),
    "above the maximum all the same": (nodes("abc"), IDLE_3, bounded(1, 2), 0, ["b#0", "c#0"]),
}

TABLE = {**PUBLISHED, **BELOW_MINIMUM, **SPREAD_OUT, **ONE_MORE_OR_NOT, **LOSES}


@pytest.mark.parametrize(("nodes", "rows", "model", "disturbs", "expected"), TABLE.values(), ids=TABLE)
def test_a_pass_decides(
    nodes: list[Node], rows: list[ReplicaRow], model: ModelConfig, disturbs: int, expected: object
) -> None:
    scaling = decided(fleet_of(nodes, rows), model, disturbs)

    assert told(scaling) == expected


def test_where_slots_are_ignored_what_is_missing_is_added_to_a_full_node_as_well() -> None:
    full = fleet_of(nodes("a"), [row("a")])

    assert scaling_of(full, bounded(2), NOW, 0, DEFAULTS, no_index) == Addition(1, "below_minimum")


# id: (cooldown before, what the pass makes of a missing replica without a slot)
SETBACKS: dict[str, tuple[Cooldown, Scaling | None]] = {
    "the first is counted": (Cooldown(0, 0), Setback(Cooldown(1, 0))),
    "so is the second": (Cooldown(1, 0), Setback(Cooldown(2, 0))),
    "the third gives the minimum up for a while": (Cooldown(2, 0), Setback(Cooldown(3, NOW + 5 * MINUTE))),
    "during which nothing is tried": (Cooldown(3, NOW + 1), None),
    "after which one is enough to do so again": (Cooldown(3, NOW), Setback(Cooldown(4, NOW + 5 * MINUTE))),
}


@pytest.mark.parametrize(("before", "expected"), SETBACKS.values(), ids=SETBACKS)
def test_of_passes_without_a_slot(before: Cooldown, expected: Scaling | None) -> None:
    fleet = fleet_of(nodes("a"), [row("a")], {"m": before})

    assert decided(fleet, bounded(2)) == expected


GIVEN_UP = {"m": Cooldown(3, NOW + 1)}

# id: (nodes, rows, model, disturbs) that lead to something, were it not for the cooldown
WITHOUT_COOLDOWN: dict[str, tuple[list[Node], list[ReplicaRow], ModelConfig, int]] = {
    "a missing replica": (nodes("a"), [], bounded(1), 0),
    "a missing replica of a spread model": (nodes("a"), [], SPREAD, 0),
    "busy replicas": (nodes("abc"), BUSY_2, bounded(1), 0),
    "pressure": (nodes("ab"), [row("a")], bounded(1), 1),
    "idle replicas": (nodes("abc"), IDLE_3, bounded(1), 0),
}


@pytest.mark.parametrize(("nodes", "rows", "model", "disturbs"), WITHOUT_COOLDOWN.values(), ids=WITHOUT_COOLDOWN)
def test_during_its_cooldown_a_model_is_left_alone_whatever_there_is(
    nodes: list[Node], rows: list[ReplicaRow], model: ModelConfig, disturbs: int
) -> None:
    assert decided(fleet_of(nodes, rows, GIVEN_UP), model, disturbs) is None
    assert decided(fleet_of(nodes, rows, {"x": GIVEN_UP["m"]}), model, disturbs) is not None
    assert decided(fleet_of(nodes, rows, {"m": Cooldown(3, NOW)}), model, disturbs) is not None


def test_a_scenario_may_set_the_times_otherwise() -> None:
    hasty = ReconcilerSpec.model_validate({"idle_after": "1s", "fruitless_passes": 1, "cooldown": "7s"}).settings()

    assert told(decided(fleet_of(nodes("ab"), [row("a"), row("b")]), bounded(1), settings=hasty)) == ["a#0"]
    assert decided(fleet_of([]), bounded(1), settings=hasty) == Setback(Cooldown(1, NOW + 7 * SECOND))


# id: (name in a scenario, fleet, whether it is known how to load m)
KNOWN: dict[str, tuple[str, Fleet, bool]] = {
    "with rows, never loaded": ("with_rows", Fleet(nodes("a"), [], {}, {}), False),
    "with rows, one there": ("with_rows", Fleet(nodes("a"), [row("a")], {"m": None}, {}), True),
    "with rows, one there, never loaded": ("with_rows", Fleet(nodes("a"), [row("a")], {}, {}), False),
    "with rows, one loading": ("with_rows", Fleet(nodes("a"), [row("a", state=LOADING)], {"m": None}, {}), True),
    "with rows, the last one gone": ("with_rows", Fleet(nodes("a"), [row("a", model="x")], {"m": None}, {}), False),
    "kept, never loaded": ("kept", Fleet(nodes("a"), [row("a", model="x")], {"x": None}, {}), False),
    "kept, one there": ("kept", Fleet(nodes("a"), [row("a")], {"m": None}, {}), True),
    "kept, the last one gone": ("kept", Fleet(nodes("a"), [], {"m": None}, {}), True),
}


@pytest.mark.parametrize(("name", "fleet", "expected"), KNOWN.values(), ids=KNOWN)
def test_it_is_known_how_to_load_a_model(name: LoadInfoName, fleet: Fleet, expected: bool) -> None:
    assert LOAD_INFO[name](fleet, "m") is expected


few = st.integers(0, 3)

models = st.builds(
    lambda least, more, spread, picky: ModelConfig(
        "m",
        selector=BIG if picky else {},
        min_replicas=least,
        max_replicas=None if more is None else (least or 0) + more,
        spread=spread,
    ),
    st.none() | few,
    st.none() | few,
    st.booleans(),
    st.booleans(),
)


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """Draw up to three nodes and rows of two models in all states, and a cooldown that is over or not."""
    status = st.sampled_from([NodeStatus.HEALTHY, NodeStatus.HEALTHY, NodeStatus.UNHEALTHY])
    drawn = [
        node(name, draw(st.integers(1, 3)), draw(st.sampled_from(["big", "small"])), draw(status))
        for name in draw(st.sampled_from(["", "a", "ab", "abc"]))
    ]
    rows = [
        row(
            each.name,
            index,
            model=name,
            busy=draw(st.sampled_from([0, 0, 1])),
            used=draw(st.sampled_from([0, LONG_AGO, LATELY])),
            state=draw(st.sampled_from([RowState.LOADED, RowState.LOADED, RowState.LOADED, *RowState])),
        )
        for each in drawn
        for name in "mx"
        for index in range(draw(st.integers(0, each.slots)))
    ]
    cooldown = draw(st.none() | st.builds(Cooldown, few, st.sampled_from([0, NOW, NOW + 1])))
    return fleet_of(drawn, rows, {} if cooldown is None else {"m": cooldown})


def least_and_most(fleet: Fleet, model: ModelConfig) -> tuple[int, int]:
    if model.spread:
        return (len(matching_nodes(fleet, model.selector)),) * 2
    return model.min_replicas or 0, model.max_replicas or FAR


@given(fleets(), models, few)
def test_what_is_added_has_slots_and_stays_below_the_maximum_what_goes_is_idle_and_leaves_the_minimum_and_one(
    fleet: Fleet, model: ModelConfig, disturbs: int
) -> None:
    loaded, (least, most) = fleet.loaded("m"), least_and_most(fleet, model)

    match decided(fleet, model, disturbs):
        case Addition(replicas):
            assert 1 <= replicas <= min(capacity(fleet, model), most - len(loaded))
        case Removal(rows, unused_since_ns):
            assert 1 <= len(rows) <= len(loaded) - max(1, least)
            assert all(gone in loaded and not gone.in_flight and gone.last_used_ns < unused_since_ns for gone in rows)
            assert unused_since_ns == NOW - 5 * MINUTE


@given(fleets(), models, few)
def test_a_setback_is_for_a_model_below_its_minimum_without_a_slot(
    fleet: Fleet, model: ModelConfig, disturbs: int
) -> None:
    is_setback = isinstance(decided(fleet, model, disturbs), Setback)

    least, _ = least_and_most(fleet, model)
    is_over = fleet.cooldowns.get("m", Cooldown(0, 0)).until_ns <= NOW
    assert is_setback == (is_over and len(fleet.loaded("m")) < least and not capacity(fleet, model))


@given(fleets(), models, few, st.randoms(use_true_random=False))
def test_the_decision_does_not_depend_on_the_order_of_the_reading(
    fleet: Fleet, model: ModelConfig, disturbs: int, shuffler: random.Random
) -> None:
    shuffled = replace(
        fleet,
        nodes=shuffler.sample(fleet.nodes, len(fleet.nodes)),
        rows=shuffler.sample(fleet.rows, len(fleet.rows)),
    )

    assert decided(shuffled, model, disturbs) == decided(fleet, model, disturbs)
