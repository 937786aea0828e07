"""Readies a frontend's registry for its first burst, as a frontend that has run for a while is."""

import asyncio
from uuid import uuid4

from sim.routing.policies.best_replica import ChooseBest
from sim.routing.registry import Registry
from sim.routing.replica import ReplicaKey

CROWD = 32
"""How many requests the registry is made ready for at once."""

_NOBODY = ReplicaKey("", "", 0)


async def warm_up(registry: Registry) -> None:
    """Open the connections and compile the statements, by requests for a replica that has no row, and a lock.

    Raises Unavailable if the registry does not answer.
    """
    await asyncio.gather(*(_request(registry) for _ in range(CROWD)))
    async with registry.lock(f"warm-up {uuid4().hex}"):
        pass


async def _request(registry: Registry) -> None:
    await registry.pick(_NOBODY.model, ChooseBest())
    await registry.touch(_NOBODY)
    await registry.increment(_NOBODY)
    await registry.decrement(_NOBODY, 1)
