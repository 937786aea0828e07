"""How a replica comes to be, step by step, and what is taken back when a step fails; and how room is made for one."""

import pytest

from sim.routing.control_plane.exact_stop import finds_anywhere
from sim.routing.control_plane.state_pass import THIRD_MISS, StatePass
from sim.routing.errors import CallError, DeadlineExceeded, NoMatchingNode, NoReplica, StaleRevision, Unavailable
from sim.routing.fleet import LoadState, ReplicaRow, RowState
from sim.routing.loading.eviction import ATTEMPTS, RETRY_NS, Eviction
from sim.routing.loading.free_process import FreeProcess, stop_by_model_name, stop_exact_process, unload_some_process
from sim.routing.loading.load_limits import BY_SIZE, FIXED, LoadLimit, limit_by_size_ns
from sim.routing.loading.load_path import LIFECYCLE, ON_SUCCESS, LoadPath, LoadRows
from sim.routing.loading.placement import FAITHFUL, PlacementRules
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig
from sim.scenario.spec.control_plane import ReconcilerSpec
from sim.simulated.nodes.backend import LoadFailure
from sim.simulated.nodes.worker import InstallSettings
from tests.counting import counted
from tests.drivers import SECOND
from tests.routing.fleet_world import MODEL, FleetWorld, nodes, one_worker

GB, MINUTE = 10**9, 60 * SECOND
A, B = ReplicaKey("a", MODEL, 0), ReplicaKey("b", MODEL, 0)
OTHER_ON_A = ReplicaKey("a", "other", 0)


def slow(load_ns: int = 0, install_ns: int = 0) -> InstallSettings:
    return InstallSettings(
        one_worker(load_time_ns=load_ns), install_time_ns=install_ns, vram_bytes=8 * GB, disk_bytes=0
    )


def eviction(world: FleetWorld, *models: ModelConfig, free_process: FreeProcess = stop_exact_process) -> Eviction:
    return Eviction(world.ports(), {model.name: model for model in models}, free_process)


def load_path(
    world: FleetWorld,
    model: ModelConfig,
    limit: LoadLimit = FIXED,
    rules: PlacementRules = FAITHFUL,
    rows: LoadRows = LIFECYCLE,
) -> LoadPath:
    ports, models = world.ports(), {model.name: model}
    return LoadPath(
        counted(ports),
        models,
        rules,
        eviction(world, model),
        limit,
        rows,
    )


@pytest.mark.parametrize(("rows", "written"), [(ON_SUCCESS, []), (LIFECYCLE, [RowState.LOADING])])
def test_during_a_load_a_row_is_there_only_if_rows_are_written_for_the_whole_lifecycle(
    rows: LoadRows, written: list[RowState]
) -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(load_ns=3 * SECOND, install_ns=2 * SECOND)})

    async def story() -> list[RowState]:
        loading = load_path(world, ModelConfig(MODEL), rows=rows).load(MODEL, 1, "cold_load")
        world.runtime.spawn(loading, "load")
        await world.runtime.sleep(4 * SECOND)
        return [row.state for row in world.rows()]

    assert world.run(story()) == written
    assert [row.state for row in world.rows()] == [RowState.LOADED]


def test_a_load_goes_through_its_states_and_ends_with_a_row_that_serves() -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(load_ns=3 * SECOND, install_ns=2 * SECOND)}, transaction_ns=SECOND)
    states: list[LoadState] = []

    loaded = world.run(load_path(world, ModelConfig(MODEL)).load(MODEL, 1, "cold_load", states.append))

    assert loaded.key == A
    assert states == [LoadState.INSTALLING, LoadState.STAGING, LoadState.LOADING]
    assert [(row.state, row.in_flight, row.address) for row in world.rows()] == [(RowState.LOADED, 1, loaded.address)]
    assert [told.kind for told in world.told()] == ["install_started", "load_started", "load_ended", "row_published"]


def test_vram_is_promised_from_the_placement_to_the_next_report() -> None:
    world = FleetWorld(nodes("a", vram_bytes=24 * GB), {MODEL: slow(load_ns=10 * SECOND, install_ns=5 * SECOND)})
    promised: list[int] = []

    async def story() -> None:
        loading = world.runtime.spawn(
            load_path(world, ModelConfig(MODEL, vram_bytes=8 * GB)).load(MODEL, 0, "cold_load"), "load"
        )
        for _ in range(4):
            await world.runtime.sleep(4 * SECOND)
            promised.append(world.node("a").reserved_vram_bytes)
        assert loading.done()

    world.run(story())

    assert promised == [8 * GB, 8 * GB, 8 * GB, 0]
    assert world.node("a").available_vram_bytes == 16 * GB


def test_an_install_that_fails_takes_the_promise_back_and_keeps_its_error() -> None:
    world = FleetWorld(nodes("a", vram_bytes=24 * GB), {MODEL: slow()})
    world.workers.start_time_ns = lambda _key: MINUTE

    async def story() -> None:
        with pytest.raises(Unavailable, match="was not well within"):
            await load_path(world, ModelConfig(MODEL, vram_bytes=8 * GB)).load(MODEL, 0, "cold_load")

    world.run(story())

    assert world.node("a").reserved_vram_bytes == 0
    assert world.rows() == []


def test_two_who_ask_for_the_same_install_share_it_and_its_error() -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(install_ns=SECOND)})
    world.workers.start_time_ns = lambda _key: MINUTE
    path, errors = load_path(world, ModelConfig(MODEL)), []

    async def ask() -> None:
        try:
            await path.load(MODEL, 0, "cold_load")
        except CallError as error:
            errors.append(error)

    async def story() -> None:
        world.runtime.spawn(ask(), "one")
        world.runtime.spawn(ask(), "other")

    world.run(story())

    assert [type(error) for error in errors] == [Unavailable, Unavailable]
    assert errors[0] is not errors[1]
    assert len(world.told("install_started")) == 1


def test_a_load_that_fails_leaves_no_row() -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(load_ns=SECOND)})
    world.workers.load_failure = lambda _key: LoadFailure("out of memory", after_ns=0)

    async def story() -> None:
        with pytest.raises(CallError, match="out of memory"):
            await load_path(world, ModelConfig(MODEL)).load(MODEL, 0, "cold_load")

    world.run(story())

    assert world.rows() == []
    assert world.told("load_ended")[0].cause == "CallError"


def test_a_replica_is_of_the_revision_that_it_was_placed_for() -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(load_ns=SECOND)})

    async def story() -> None:
        await world.ports().registry.advance_revision(MODEL, "new")
        await load_path(world, ModelConfig(MODEL)).load(MODEL, 1, "cold_load")

    world.run(story())

    assert [(row.state, row.revision) for row in world.rows()] == [(RowState.LOADED, "new")]


async def overtake(world: FleetWorld) -> list[ReplicaRow]:
    """Load a replica, get a new revision of its model after five seconds, and return the rows when it has failed."""
    path = load_path(world, ModelConfig(MODEL))

    async def advance() -> None:
        await world.runtime.sleep(5 * SECOND)
        await world.ports().registry.advance_revision(MODEL, "new")

    world.runtime.spawn(advance(), "advance")
    with pytest.raises(StaleRevision):
        await path.load(MODEL, 1, "cold_load")
    return world.rows()


def test_a_load_that_a_new_revision_overtakes_fails_and_its_row_goes_with_its_process_in_the_next_state_pass() -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(load_ns=10 * SECOND)})
    ports = world.ports()
    reconciler = StatePass(
        ports,
        ReconcilerSpec().settings(),
        THIRD_MISS,
        finds_anywhere,
        load_path(world, ModelConfig(MODEL)).longest_load_ns,
    )

    async def story() -> list[ReplicaRow]:
        rows = await overtake(world)
        await reconciler.run_pass()
        return rows

    assert [(row.key, row.state, row.revision) for row in world.run(story())] == [(A, RowState.UNLOADING, "")]
    assert world.rows() == []
    assert not world.processes
    assert world.told("row_published") == []


def test_a_load_that_is_overtaken_before_it_has_a_row_gets_none() -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(install_ns=10 * SECOND)})

    assert world.run(overtake(world)) == []
    assert world.told("load_started") == []


def test_a_load_that_is_overtaken_before_it_has_a_row_leaves_alone_what_the_new_revision_has_written_there() -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(install_ns=10 * SECOND)})

    async def write() -> None:
        await world.runtime.sleep(6 * SECOND)
        await world.ports().registry.publish(A, "a:9", 3, RowState.LOADED, "new")

    world.runtime.spawn(write(), "write")
    world.run(overtake(world))

    assert [(row.key, row.in_flight, row.revision) for row in world.rows()] == [(A, 3, "new")]


def test_a_load_that_is_overtaken_leaves_alone_what_the_new_revision_loads_in_its_place() -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(load_ns=10 * SECOND)})

    async def load_anew() -> None:
        await world.runtime.sleep(6 * SECOND)
        await load_path(world, ModelConfig(MODEL)).load(MODEL, 0, "cold_load")

    async def story() -> list[ReplicaRow]:
        world.runtime.spawn(load_anew(), "load anew")
        await overtake(world)
        await world.runtime.sleep(SECOND)
        return world.rows()

    assert [(row.key, row.state, row.revision) for row in world.run(story())] == [(A, RowState.LOADING, "new")]
    assert [(row.key, row.state, row.revision) for row in world.rows()] == [(A, RowState.LOADED, "new")]


@pytest.mark.parametrize(("limit", "left"), [(FIXED, True), (BY_SIZE, False)], ids=["fixed", "by_size"])
def test_a_load_that_is_too_late_ends_its_process_only_where_that_is_repaired(limit: LoadLimit, left: bool) -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(load_ns=60 * MINUTE)})

    async def story() -> None:
        with pytest.raises(DeadlineExceeded):
            await load_path(world, ModelConfig(MODEL), limit).load(MODEL, 0, "cold_load")

    world.run(story())

    assert world.rows() == []
    assert bool(world.processes) is left


@pytest.mark.parametrize(("gib", "minutes"), [(0, 5), (3, 6), (70, 5 + 70 / 3), (10_000, 360)])
def test_the_repaired_limit_grows_with_the_files_up_to_six_hours(gib: int, minutes: float) -> None:
    assert limit_by_size_ns(ModelConfig(MODEL, disk_bytes=gib << 30)) == round(minutes * MINUTE)


def test_a_selector_that_matches_nothing_is_told_as_such() -> None:
    world = FleetWorld(nodes("a"))

    async def story() -> None:
        with pytest.raises(NoMatchingNode):
            await load_path(world, ModelConfig(MODEL, selector={"gpu": "h100"})).load(MODEL, 0, "cold_load")

    world.run(story())


def test_with_every_slot_taken_an_idle_replica_of_the_model_makes_room_for_another() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A, in_flight=1)
    world.place(B, last_used_ns=5)

    loaded = world.run(load_path(world, ModelConfig(MODEL)).load(MODEL, 0, "cold_load"))

    assert loaded.key == B
    assert [(told.about, told.cause) for told in world.told("row_removed")] == [("b#0", "evicted")]


def test_making_room_deletes_the_least_recently_used_row_and_ends_its_process() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A, last_used_ns=5)
    world.place(B, last_used_ns=3)

    evicted = world.run(eviction(world).make_room())

    assert evicted.key == B
    assert world.keys() == ["a#0"]
    assert [told.about for told in world.told("process_ended")] == ["b#0"]


def test_the_original_release_empties_the_first_process_of_the_node_whatever_it_holds() -> None:
    world = FleetWorld(nodes("a", slots=2))
    world.place(OTHER_ON_A, in_flight=1)
    world.place(A)

    world.run(eviction(world, free_process=unload_some_process).make_room())

    assert world.keys() == ["a#0"]
    assert (world.process(OTHER_ON_A).model, world.process(A).model) == (None, MODEL)


def test_a_stop_by_the_bare_name_of_the_model_deletes_the_row_and_ends_no_process() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)

    world.run(eviction(world, free_process=stop_by_model_name).make_room())

    assert world.keys() == []
    assert world.told("process_ended") == []
    assert world.process(A).model == MODEL


# How a process is freed, and how long its worker may take to answer.
LIMITS_S = [(unload_some_process, 30), (stop_by_model_name, 10), (stop_exact_process, 10)]


@pytest.mark.parametrize(("free_process", "limit_s"), LIMITS_S, ids=lambda each: getattr(each, "__name__", ""))
def test_the_worker_of_a_paused_node_holds_an_eviction_up_for_a_limited_time(
    free_process: FreeProcess, limit_s: int
) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.pause("a")

    async def story() -> int:
        await eviction(world, free_process=free_process).make_room()
        return world.runtime.now_ns()

    assert world.run(story()) == limit_s * SECOND
    assert world.keys() == []


def test_a_load_that_is_too_late_fails_though_its_worker_does_not_answer_the_order_to_stop_it() -> None:
    world = FleetWorld(nodes("a"), {MODEL: slow(load_ns=60 * MINUTE)})

    async def story() -> int:
        world.runtime.spawn(pause_later(), "pause")
        with pytest.raises(DeadlineExceeded):
            await load_path(world, ModelConfig(MODEL), BY_SIZE).load(MODEL, 0, "cold_load")
        return world.runtime.now_ns()

    async def pause_later() -> None:
        await world.runtime.sleep(MINUTE)
        world.pause("a")

    assert world.run(story()) == 5 * MINUTE + 10 * SECOND


def test_room_is_looked_for_five_times_half_a_second_apart() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A, in_flight=1)

    async def story() -> int:
        with pytest.raises(NoReplica, match="all models busy"):
            await eviction(world).make_room()
        return world.runtime.now_ns()

    assert world.run(story()) == ATTEMPTS * RETRY_NS == 2.5 * SECOND


def test_a_row_that_becomes_idle_meanwhile_is_taken_at_the_next_attempt() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A, in_flight=1)

    async def story() -> int:
        finding = world.runtime.spawn(eviction(world).make_room(), "make room")
        await world.runtime.sleep(RETRY_NS + 1)
        world.table.decrement(A, 1)
        while not finding.done():
            await world.runtime.sleep(RETRY_NS // 10)
        return world.runtime.now_ns()

    assert RETRY_NS < world.run(story()) <= 2 * RETRY_NS + RETRY_NS // 10
    assert world.rows() == []


def test_a_minimum_is_never_evicted_below() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A, last_used_ns=1)
    world.place(B, last_used_ns=2)
    bounded = eviction(world, ModelConfig(MODEL, min_replicas=2))

    async def story() -> None:
        with pytest.raises(NoReplica):
            await bounded.make_room()

    world.run(story())

    assert world.keys() == ["a#0", "b#0"]
