"""What the reconciler does about the number of a model's replicas: every rule by name, and whole passes."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.control_plane.replica_pass import (
    Addition,
    Removal,
    ReplicaPass,
    Scaling,
    Setback,
    scaling_of,
)
from sim.routing.errors import Unavailable
from sim.routing.fleet import Cooldown, Fleet, Node, ReplicaRow
from sim.routing.loading.eviction import Eviction
from sim.routing.loading.free_process import Release, stop_exact_process, unload_some_process
from sim.routing.loading.load_limits import FIXED
from sim.routing.loading.load_path import LoadPath
from sim.routing.loading.placement import FAITHFUL, capacity, matching_nodes
from sim.routing.model_config import ModelConfig
from sim.routing.policies.prefix_policy import Pressure
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import MadeCall
from sim.routing.replica import ReplicaKey
from sim.routing.settings import LoadInfoName, ReconcilerSettings
from sim.routing.states import NodeStatus, RowState
from sim.routing.strategies import LOAD_INFO
from sim.scenario.spec.control_plane import ReconcilerSpec
from sim.simulated.faults.interposed import interposed_registry
from sim.simulated.nodes.backend import LoadFailure
from tests.drivers import SECOND, all_of
from tests.routing.fleet_world import SERIALISING, FleetWorld, Told
from tests.routing.fleet_world import nodes as facts

MINUTE = 60 * SECOND
NOW = 60 * MINUTE
FAR = 10**9
LONG_AGO, LATELY = NOW - 6 * MINUTE, NOW - 4 * MINUTE

BIG = {"gpu": "big"}
LOADING, UNLOADING = RowState.LOADING, RowState.UNLOADING


DEFAULTS = ReconcilerSpec().settings()


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


def bounded(least: int | None = None, most: int | None = None) -> ModelConfig:
    return ModelConfig("m", min_replicas=least, max_replicas=most)


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


A, B, C = (ReplicaKey(name, "m", 0) for name in "abc")
TICK = 30 * SECOND

MINUTE_LONG = replace(SERIALISING, process=replace(SERIALISING.process, load_time_ns=MINUTE))


def replica_pass(
    ports: FrontendPorts,
    *models: ModelConfig,
    pressure: Pressure | None = None,
    load_info: LoadInfoName = "kept",
    release: Release = stop_exact_process,
) -> ReplicaPass:
    """Return the pass of one more frontend."""
    runtime, registry, worker, journal = ports.runtime, ports.registry, ports.worker, ports.journal
    configs = {model.name: model for model in models}
    eviction = Eviction(runtime, registry, worker, journal, configs, release)
    load_path = LoadPath(runtime, registry, ports.dialer, worker, journal, configs, FAITHFUL, eviction, FIXED)
    heeded = Pressure(runtime) if pressure is None else pressure
    info = LOAD_INFO[load_info]
    return ReplicaPass(runtime, registry, worker, journal, configs, DEFAULTS, load_path, release, info, heeded)


def run_passes(world: FleetWorld, reconciler: ReplicaPass, passes: int = 1) -> None:
    """Make passes from NOW on, a tick apart."""

    async def story() -> None:
        await world.runtime.sleep(NOW)
        for _ in range(passes):
            await reconciler.run_pass()
            await world.runtime.sleep(TICK)

    world.run(story())


def world_of(names: str, *known: str, **settings: Any) -> FleetWorld:
    """Return a world of nodes with a slot each, in which it is known how to load these models."""
    world = FleetWorld(facts(*names), **settings)
    world.database.loadable.update(dict.fromkeys(known))
    return world


def with_replicas(names: str, *keys: ReplicaKey, in_flight: int = 0, used: int = LATELY) -> FleetWorld:
    """Return such a world with these replicas, each used a nanosecond after the one before."""
    world = world_of(names)
    for number, key in enumerate(keys):
        world.place(key, in_flight=in_flight, last_used_ns=used + number)
    return world


def test_a_minimum_of_2_with_one_slot_leads_to_one_attempt() -> None:
    world = world_of("a", "m")

    run_passes(world, replica_pass(world.ports(), bounded(2)))

    assert world.told() == [
        Told("scaled", "m", "1", "below_minimum"),
        Told("install_started", "a#0", "", ""),
        Told("load_started", "a#0", "", ""),
        Told("load_ended", "a#0", "", ""),
        Told("row_published", "a#0", "", "scale_up"),
    ]


def test_three_passes_without_a_slot_give_the_minimum_up_without_an_attempt() -> None:
    world = with_replicas("a", A)

    run_passes(world, replica_pass(world.ports(), bounded(2)), passes=5)

    assert world.told() == []
    assert world.database.cooldowns == {"m": Cooldown(3, NOW + 2 * TICK + 5 * MINUTE)}


def test_the_passes_of_three_frontends_count_together() -> None:
    world = world_of("", "m")
    passes = [replica_pass(world.ports(), bounded(1)) for _ in range(3)]

    async def story() -> None:
        for each in passes:
            await each.run_pass()

    world.run(story())

    assert world.database.cooldowns == {"m": Cooldown(3, 5 * MINUTE)}


def test_the_end_of_a_cooldown_is_told_by_the_wall_clock_of_the_frontend() -> None:
    world = world_of("a", "m")
    world.database.cooldowns["m"] = Cooldown(3, NOW + MINUTE)

    async def story() -> list[list[str]]:
        await world.runtime.sleep(NOW)
        keys = []
        for ahead_ns in (0, MINUTE):
            await replica_pass(world.ports(clock_ahead_ns=ahead_ns), bounded(1)).run_pass()
            keys.append(world.keys())
        return keys

    assert world.run(story()) == [[], ["a#0"]]


def test_a_node_that_registers_ends_the_cooldown() -> None:
    world = with_replicas("a", A)
    world.database.cooldowns["m"] = Cooldown(3, NOW + MINUTE)
    reconciler = replica_pass(world.ports(), bounded(2))

    async def story() -> None:
        await reconciler.run_pass()
        await world.agents["a"].register("restart")
        await reconciler.run_pass()

    world.run(story())

    assert world.told("row_removed", "scaled") == [
        Told("row_removed", "a#0", "", "restart"),
        Told("scaled", "m", "1", "below_minimum"),
    ]


def test_busy_replicas_get_one_more_in_each_pass_up_to_the_maximum() -> None:
    world = with_replicas("abcd", A, B, in_flight=1)
    reconciler = replica_pass(world.ports(), bounded(1, 4))

    async def story() -> None:
        for key in (C, ReplicaKey("d", "m", 0), None):
            await reconciler.run_pass()
            if key is not None:
                world.table.increment(key, 0)

    world.run(story())

    assert world.told("scaled") == [Told("scaled", "m", "1", "busy")] * 2
    assert world.keys() == ["a#0", "b#0", "c#0", "d#0"]


def test_a_model_without_bounds_is_left_alone_though_it_is_busy() -> None:
    world = with_replicas("ab", A, in_flight=1)

    run_passes(world, replica_pass(world.ports(), ModelConfig("m")))

    assert world.keys() == ["a#0"]


def test_one_more_for_busy_replicas_clears_no_count_of_setbacks() -> None:
    world = with_replicas("ab", A, in_flight=1)
    world.database.cooldowns["m"] = Cooldown(2, 0)

    run_passes(world, replica_pass(world.ports(), bounded(1)))

    assert world.keys() == ["a#0", "b#0"]
    assert world.database.cooldowns == {"m": Cooldown(2, 0)}


def test_idle_replicas_go_down_to_the_minimum_and_so_do_their_processes() -> None:
    world = with_replicas("abc", C, B, A, used=LONG_AGO)

    run_passes(world, replica_pass(world.ports(), bounded(1)), passes=2)

    assert world.told("scaled", "row_removed") == [
        Told("scaled", "m", "-2", "idle"),
        Told("row_removed", "c#0", "", "idle"),
        Told("row_removed", "b#0", "", "idle"),
    ]
    assert [process.key for process in world.processes.values()] == [A]


def test_as_localai_releases_it_another_model_of_the_node_may_be_emptied_in_place_of_the_idle_one() -> None:
    world = world_of("ab")
    bystander = world.start(ReplicaKey("a", "x", 0))
    idle = world.place(A, last_used_ns=LONG_AGO)
    world.place(B, last_used_ns=LATELY)

    run_passes(world, replica_pass(world.ports(), bounded(1), release=unload_some_process))

    assert world.keys() == ["b#0"]
    assert (bystander.model, world.processes[idle.address].model) == (None, "m")


def test_an_idle_replica_that_is_used_before_it_goes_stays_with_its_process() -> None:
    world = world_of("ab", transaction_ns=SECOND)
    for key in (A, B):
        world.place(key, last_used_ns=LONG_AGO)
    reconciler = replica_pass(world.ports(), bounded(1))

    async def story() -> None:
        await world.runtime.sleep(NOW)
        world.runtime.spawn(reconciler.run_pass(), "pass")
        await world.runtime.sleep(2 * SECOND + 1)  # the lock is taken and the fleet read
        world.table.rows[A].last_used_ns = NOW

    world.run(story())

    assert world.told() == [Told("scaled", "m", "-1", "idle")]
    assert len(world.processes) == 2


def test_a_worker_that_does_not_answer_keeps_no_idle_row_alive() -> None:
    world = with_replicas("abc", A, B, C, used=LONG_AGO)
    world.workers.nodes["a"].is_up = False

    run_passes(world, replica_pass(world.ports(), bounded(1)))

    assert world.keys() == ["c#0"]
    assert [process.key for process in world.processes.values()] == [A, C]


def test_pressure_adds_one_replica_and_begins_anew() -> None:
    world = with_replicas("abc", A)
    pressure = Pressure(world.runtime)
    reconciler = replica_pass(world.ports(), bounded(1), pressure=pressure)

    async def story() -> None:
        pressure.record("m")
        pressure.record("m")
        await reconciler.run_pass()
        await reconciler.run_pass()

    world.run(story())

    assert world.told("scaled") == [Told("scaled", "m", "1", "pressure")]


def test_busy_and_under_pressure_a_model_gets_one_replica_and_stays_under_pressure() -> None:
    world = with_replicas("abc", A, in_flight=1)
    pressure = Pressure(world.runtime)
    reconciler = replica_pass(world.ports(), bounded(1), pressure=pressure)

    async def story() -> int:
        pressure.record("m")
        await reconciler.run_pass()
        return pressure.count("m")

    assert world.run(story()) == 1
    assert world.told("scaled") == [Told("scaled", "m", "1", "busy")]


def test_a_scale_up_that_fails_keeps_the_pressure() -> None:
    world = with_replicas("ab", A)
    world.workers.load_failure = lambda _key: LoadFailure("out of memory", 0)
    pressure = Pressure(world.runtime)
    reconciler = replica_pass(world.ports(), bounded(1), pressure=pressure)

    async def story() -> int:
        pressure.record("m")
        await reconciler.run_pass()
        return pressure.count("m")

    assert world.run(story()) == 1
    assert world.told("scaled") == [Told("scaled", "m", "1", "pressure")]


def test_models_come_by_name_and_a_load_that_fails_ends_the_pass_for_its_model_alone() -> None:
    world = world_of("abc", "x", "y", "z")
    world.workers.load_failure = lambda key: LoadFailure("out of memory", 0) if key.model == "x" else None
    models = [replace(bounded(2), name="z"), ModelConfig("y"), replace(bounded(2), name="x")]

    run_passes(world, replica_pass(world.ports(), *models))

    assert world.told("scaled", "load_started") == [
        Told("scaled", "x", "2", "below_minimum"),
        Told("load_started", "a#0", "", ""),
        Told("scaled", "z", "2", "below_minimum"),
        Told("load_started", "a#0", "", ""),
        Told("load_started", "b#0", "", ""),
    ]


# id: (loads that fail, what the registry says of the model afterwards)
AFTER_LOADS: dict[str, tuple[Sequence[str], dict[str, Cooldown]]] = {
    "all succeed": ("", {}),
    "one succeeds": ("b", {}),
    "none succeeds": ("ab", {"m": Cooldown(2, 0)}),
}


@pytest.mark.parametrize(("failing", "expected"), AFTER_LOADS.values(), ids=AFTER_LOADS)
def test_any_success_clears_the_count_of_setbacks(failing: str, expected: dict[str, Cooldown]) -> None:
    world = world_of("ab", "m")
    world.database.cooldowns["m"] = Cooldown(2, 0)
    world.workers.load_failure = lambda key: LoadFailure("out of memory", 0) if key.node in failing else None

    run_passes(world, replica_pass(world.ports(), bounded(2)))

    assert world.database.cooldowns == expected


@pytest.mark.parametrize(("load_info", "expected"), [("with_rows", []), ("kept", ["a#0", "b#0"])])
def test_a_minimum_is_restored_after_the_loss_of_all_rows_if_load_info_is_kept(
    load_info: LoadInfoName, expected: list[str]
) -> None:
    world = with_replicas("ab", A, B)
    reconciler = replica_pass(world.ports(), bounded(2), load_info=load_info)

    async def story() -> None:
        for name in "ab":
            await world.agents[name].register("restart")
        await reconciler.run_pass()

    world.run(story())

    assert world.keys() == expected


def test_without_load_info_there_is_no_attempt_and_no_setback() -> None:
    world = world_of("ab")

    run_passes(world, replica_pass(world.ports(), bounded(1)))

    assert world.told() == []
    assert world.database.cooldowns == {}


def test_a_frontend_waits_for_the_loads_of_another_ones_pass_and_then_sees_what_has_come_of_them() -> None:
    world = FleetWorld(facts("a", "b", "c"), {"m": MINUTE_LONG})
    world.place(A, in_flight=1)
    passes = [replica_pass(world.ports(), bounded(1)) for _ in range(2)]

    async def story() -> int:
        await all_of(world.runtime, [each.run_pass() for each in passes])
        return world.runtime.now_ns()

    assert world.run(story()) == MINUTE
    assert world.told("scaled") == [Told("scaled", "m", "1", "busy")]


def test_frontends_add_one_each_if_what_the_first_has_added_is_busy_by_the_second_ones_turn() -> None:
    world = with_replicas("abc", A, in_flight=1)
    passes = [replica_pass(world.ports(), bounded(1)) for _ in range(2)]

    async def story() -> None:
        await passes[0].run_pass()
        world.table.increment(B, 0)
        await passes[1].run_pass()

    world.run(story())

    assert world.keys() == ["a#0", "b#0", "c#0"]


def test_a_pass_that_is_broken_off_in_a_load_frees_the_lock_for_the_next() -> None:
    world = FleetWorld(facts("a", "b"), {"m": MINUTE_LONG})
    world.place(A, in_flight=1)
    passes = [replica_pass(world.ports(), bounded(1)) for _ in range(2)]

    async def story() -> None:
        first = world.runtime.spawn(passes[0].run_pass(), "pass")
        await world.runtime.sleep(SECOND)
        first.cancel()
        await world.runtime.sleep(SECOND)
        await passes[1].run_pass()

    world.run(story())

    assert world.keys() == ["a#0", "b#0"]


def failing_once(world: FleetWorld, failing: str) -> FrontendPorts:
    """Return a frontend's ports, of which the first call of that registry method fails."""
    failures = [failing]

    async def around(name: str, call: MadeCall) -> Any:
        if name in failures:
            failures.remove(name)
            raise Unavailable(f"{name} fails")
        return await call()

    ports = world.ports()
    return replace(ports, registry=interposed_registry(ports.runtime, ports.registry, around))


@pytest.mark.parametrize("failing", ["lock", "fleet", "set_cooldown", "remove_idle_row"])
def test_a_registry_that_fails_ends_the_pass_and_the_next_one_makes_up_for_it(failing: str) -> None:
    world = with_replicas("ab", A, B, used=LONG_AGO)
    models = [replace(bounded(1), name="k", selector=BIG), bounded(1)]

    run_passes(world, replica_pass(failing_once(world, failing), *models), passes=2)

    assert world.database.cooldowns["k"].fruitless_passes == (2 if failing == "remove_idle_row" else 1)
    assert world.keys() == ["b#0"]
