"""What the replica pass makes of loads, registries and frontends that fail or are late."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sim.routing.fleet import Cooldown
from sim.routing.settings import LoadInfoName, ModelConfig
from sim.simulated.nodes.backend import LoadFailure
from tests.drivers import SECOND, all_of
from tests.routing.control_plane.failing_registry import failing_once
from tests.routing.control_plane.replica_passes import (
    BIG,
    LONG_AGO,
    MINUTE,
    A,
    B,
    bounded,
    replica_pass,
    run_passes,
    with_replicas,
    world_of,
)
from tests.routing.fleet_world import SERIALISING, FleetWorld, Told
from tests.routing.fleet_world import nodes as facts

MINUTE_LONG = replace(SERIALISING, process=replace(SERIALISING.process, load_time_ns=MINUTE))


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


@pytest.mark.parametrize("failing", ["lock", "fleet", "set_cooldown", "remove_idle_row"])
def test_a_registry_that_fails_ends_the_pass_and_the_next_one_makes_up_for_it(failing: str) -> None:
    world = with_replicas("ab", A, B, used=LONG_AGO)
    models = [replace(bounded(1), name="k", selector=BIG), bounded(1)]

    run_passes(world, replica_pass(failing_once(world, failing), *models), passes=2)

    assert world.database.cooldowns["k"].fruitless_passes == (2 if failing == "remove_idle_row" else 1)
    assert world.keys() == ["b#0"]
