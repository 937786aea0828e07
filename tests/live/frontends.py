"""The frontend in a service of one's own: opened on an empty registry, and told of replicas."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sim.live import Frontend
from sim.live.registry.connection import connect
from sim.live.runtime import AsyncioRuntime
from sim.routing.fleet import NodeFacts
from sim.routing.replica import ReplicaKey
from tests.live.workers import KEY, LiveWorld


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'registry.db'}"


@asynccontextmanager
async def open_frontend(url: str, **settings: Any) -> AsyncIterator[Frontend]:
    """Give a frontend on an empty registry."""
    async with Frontend(url, **settings) as frontend:
        await frontend.registry.reset()
        yield frontend


async def publish(frontend: Frontend, world: LiveWorld, *keys: ReplicaKey) -> None:
    """Start the replicas with their model, and tell the registry of them."""
    await frontend.registry.register_node(NodeFacts(KEY.node, slots=4))
    for key in keys:
        await frontend.registry.publish(key, await world.workers.start_loaded(key), in_flight=0)


async def in_flight(url: str) -> int:
    async with connect(url, AsyncioRuntime()) as registry:
        return await registry.total_in_flight()
