"""A registry that fails a background loop once."""

from dataclasses import replace
from typing import Any

from sim.routing.errors import Unavailable
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import MadeCall
from sim.simulated.faults.interposed import interposed_registry
from tests.routing.fleet_world import FleetWorld


def failing_once(world: FleetWorld, failing: str) -> FrontendPorts:
    """Return a frontend's ports, of which the first call of that registry method fails."""
    failures = [failing]

    async def around(name: str, call: MadeCall) -> Any:
        if name in failures:
            failures.remove(name)
            raise Unavailable(f"{name} fails")
        return await call()

    ports = world.ports()
    return replace(ports, registry=interposed_registry(ports.runtime, ports.registry, around, world.table.leak))
