"""The replica pass on a simulated fleet: replicas that are missing, busy, idle or under pressure."""

from sim.routing.fleet import Cooldown
from sim.routing.loading.free_process import unload_some_process
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig
from sim.simulated.nodes.backend import LoadFailure
from tests.drivers import SECOND
from tests.routing.control_plane.replica_passes import (
    LATELY,
    LONG_AGO,
    MINUTE,
    NOW,
    TICK,
    A,
    B,
    C,
    bounded,
    replica_pass,
    run_passes,
    with_replicas,
    world_of,
)
from tests.routing.fleet_world import Told


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

    run_passes(world, replica_pass(world.ports(), bounded(1), free_process=unload_some_process))

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


def test_a_worker_of_a_paused_node_holds_the_pass_up_for_a_limited_time_at_each_idle_row() -> None:
    world = world_of("ab")
    for key in (A, B, ReplicaKey("a", "m", 1)):
        world.place(key, last_used_ns=LONG_AGO)
    world.pause("a")
    reconciler = replica_pass(world.ports(), bounded(1), free_process=unload_some_process)

    async def story() -> int:
        await world.runtime.sleep(NOW)
        await reconciler.run_pass()
        return world.runtime.now_ns() - NOW

    assert world.run(story()) == 2 * 30 * SECOND
    assert world.keys() == ["b#0"]


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
