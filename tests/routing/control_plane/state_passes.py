"""State passes of frontends, and fleets whose rows they judge."""

from collections.abc import Callable

import pytest

from sim.routing.control_plane.state_pass import StatePass
from sim.routing.ports import FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ExactStopName, ReaperName
from sim.routing.strategies import EXACT_STOPS, REAPERS
from sim.scenario.spec.control_plane import ReconcilerSpec
from tests.drivers import SECOND
from tests.routing.fleet_world import FleetWorld, Told

MINUTE = 60 * SECOND

STALE, LEAKED = 2 * MINUTE, 30 * MINUTE

LONGEST_LOADS = {"m": 5 * MINUTE, "x": 8 * MINUTE}

A, B = ReplicaKey("a", "m", 0), ReplicaKey("b", "m", 0)

EACH_REAPER = pytest.mark.parametrize("reaper", REAPERS)


def state_pass(
    world: FleetWorld,
    reaper: ReaperName = "third_miss",
    ports: FrontendPorts | None = None,
    exact_stop: ExactStopName = "by_key",
) -> StatePass:
    """Return the pass of one more frontend."""
    return StatePass(
        ports or world.ports(),
        ReconcilerSpec().settings(),
        REAPERS[reaper],
        EXACT_STOPS[exact_stop],
        longest_load_ns=lambda model: LONGEST_LOADS[model],
    )


def silence(world: FleetWorld, node: str) -> None:
    """Have the node's worker answer nobody; its processes go on."""
    world.workers.nodes[node].is_up = False


def run_passes(world: FleetWorld, *passes: StatePass, every_ns: int) -> None:
    """Make passes one after the other, the first at `every_ns`."""

    async def story() -> None:
        for each in passes:
            await world.runtime.sleep(every_ns)
            await each.run_pass()

    world.run(story())


REMOVED_BY_PROBE = Told("row_removed", "a#0", "", "unreachable")


def answer_as(world: FleetWorld, letter: str) -> Callable[[], None]:
    """Have a's process answer the next probe (O), too late (T) or not at all (F); return what undoes it."""
    process = world.process(A)
    if letter == "T":
        world.hang(A)
        return lambda: world.resume(A)
    if letter == "F":
        del world.processes[process.address]
        return lambda: world.processes.update({process.address: process})
    return lambda: None
