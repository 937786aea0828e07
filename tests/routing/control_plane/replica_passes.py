"""Fleets and frontends for the replica pass."""

from typing import Any

from sim.routing.control_plane.replica_pass import ReplicaPass
from sim.routing.loading.eviction import Eviction
from sim.routing.loading.free_process import FreeProcess, stop_exact_process
from sim.routing.loading.load_limits import FIXED
from sim.routing.loading.load_path import LoadPath
from sim.routing.loading.placement import FAITHFUL
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.ports import FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.settings import LoadInfoName, ModelConfig, ScalingName
from sim.routing.strategies import LOAD_INFO, TURNS
from sim.scenario.spec.control_plane import ReconcilerSpec
from tests.counting import counted
from tests.drivers import SECOND
from tests.routing.fleet_world import FleetWorld
from tests.routing.fleet_world import nodes as facts

MINUTE = 60 * SECOND

NOW = 60 * MINUTE

LONG_AGO, LATELY = NOW - 6 * MINUTE, NOW - 4 * MINUTE

BIG = {"gpu": "big"}

DEFAULTS = ReconcilerSpec().settings()


def bounded(least: int | None = None, most: int | None = None) -> ModelConfig:
    return ModelConfig("m", min_replicas=least, max_replicas=most)


A, B, C = (ReplicaKey(name, "m", 0) for name in "abc")

TICK = 30 * SECOND


def replica_pass(
    ports: FrontendPorts,
    *models: ModelConfig,
    pressure: Pressure | None = None,
    load_info: LoadInfoName = "kept",
    free_process: FreeProcess = stop_exact_process,
    turns: ScalingName = "in_sequence",
) -> ReplicaPass:
    """Return the pass of one more frontend."""
    configs = {model.name: model for model in models}
    eviction = Eviction(ports, configs, free_process)
    load_path = LoadPath(counted(ports), configs, FAITHFUL, eviction, FIXED)
    heeded = Pressure(ports.runtime) if pressure is None else pressure
    info, order = LOAD_INFO[load_info], TURNS[turns](ports, DEFAULTS.stale_row_after_ns)
    return ReplicaPass(ports, configs, DEFAULTS, load_path, free_process, info, heeded, order)


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
