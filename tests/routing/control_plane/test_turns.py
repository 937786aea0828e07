"""How long the models of a replica pass wait for each other's loads."""

from dataclasses import replace

import pytest

from sim.routing.settings import ModelConfig, ScalingName
from sim.routing.strategies import TURNS
from tests.drivers import SECOND
from tests.routing.control_plane.failing_registry import failing_once
from tests.routing.control_plane.replica_passes import DEFAULTS, MINUTE, replica_pass
from tests.routing.fleet_world import SERIALISING, FleetWorld, Told, nodes

LIMIT = DEFAULTS.stale_row_after_ns

MODELS = [ModelConfig(name, min_replicas=1) for name in "xyz"]


def world_of_loads(**load_times_ns: int) -> FleetWorld:
    """Return a world in which each model can be loaded, and takes so long."""
    process = SERIALISING.process
    settings = {
        model: replace(SERIALISING, process=replace(process, load_time_ns=load_time_ns))
        for model, load_time_ns in load_times_ns.items()
    }
    world = FleetWorld(nodes(*"abc"), settings)
    world.database.loadable.update(dict.fromkeys(load_times_ns))
    return world


def scaled(world: FleetWorld) -> list[tuple[str, float]]:
    """Return which model had a turn, and when, in seconds."""
    return list(zip([told.about for told in world.told("scaled")], world.times_s("scaled"), strict=True))


def pass_ns(world: FleetWorld, scaling: ScalingName) -> int:
    """Make a pass, and return how long it takes; then wait until all loads have ended."""

    async def story() -> int:
        await replica_pass(world.ports(), *MODELS, turns=scaling).run_pass()
        ended_ns = world.runtime.now_ns()
        await world.runtime.sleep(10 * MINUTE)
        return ended_ns

    ended_ns: int = world.run(story())
    return ended_ns


@pytest.mark.parametrize("scaling", TURNS)
def test_loads_of_a_usual_length_come_one_after_the_other(scaling: ScalingName) -> None:
    world = world_of_loads(x=SECOND, y=2 * SECOND, z=3 * SECOND)

    assert pass_ns(world, scaling) == 6 * SECOND
    assert scaled(world) == [("x", 0), ("y", 1), ("z", 3)]


def test_in_sequence_a_model_waits_for_a_load_of_any_length() -> None:
    world = world_of_loads(x=4 * MINUTE, y=SECOND, z=SECOND)

    assert pass_ns(world, "in_sequence") == 4 * MINUTE + 2 * SECOND
    assert scaled(world) == [("x", 0), ("y", 240), ("z", 241)]


def test_side_by_side_a_pass_waits_for_no_load_beyond_its_limit_and_all_loads_come_to_their_end() -> None:
    world = world_of_loads(x=MINUTE, y=4 * MINUTE, z=4 * MINUTE)

    assert pass_ns(world, "side_by_side") == LIMIT
    assert scaled(world) == [("x", 0), ("y", 60), ("z", 120)]
    assert sorted(row.key.model for row in world.rows() if row.is_loaded) == ["x", "y", "z"]


def test_side_by_side_a_model_whose_load_is_under_way_has_no_other_turn_on_any_frontend() -> None:
    world = world_of_loads(x=4 * MINUTE, y=4 * MINUTE, z=4 * MINUTE)
    passes = [replica_pass(world.ports(), *MODELS, turns="side_by_side") for _ in range(2)]

    async def story() -> int:
        for each in (passes[0], *passes):
            await each.run_pass()
        return world.runtime.now_ns()

    assert world.run(story()) == LIMIT
    assert [model for model, _ in scaled(world)] == ["x", "y", "z"]


@pytest.mark.parametrize("failing", ["try_lock", "fleet"])
def test_side_by_side_a_registry_that_fails_ends_one_turn(failing: str) -> None:
    world = world_of_loads(x=SECOND, y=SECOND, z=SECOND)

    world.run(replica_pass(failing_once(world, failing), *MODELS, turns="side_by_side").run_pass())

    assert world.told("scaled") == [Told("scaled", model, "1", "below_minimum") for model in "yz"]
