"""Small live worlds for the tests: real processes, times in milliseconds."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from sim.live.nodes.backend import GrpcBackend, GrpcDialer
from sim.live.nodes.worker import LiveWorkers
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import DeadlineExceeded
from sim.routing.fleet import NodeReport
from sim.routing.replica import ReplicaKey
from sim.routing.request import Chain, Request
from sim.scenario import ModelSpec, NodeSpec
from tests.twins import MODEL, MS, ListJournal
from tests.waiting import in_time, wait_until

KEY = ReplicaKey("node-1", MODEL, 0)
OTHER = ReplicaKey("node-1", MODEL, 1)
NODE_BYTES, MODEL_BYTES = 24 * 10**9, 8 * 10**9
DRAWN = {"mean": "1s"}
BY_TOKENS = {"prefill": "1000/s", "decode": "1000/s"}
"""A token is a millisecond."""
LONG_MS = 60_000
"""Longer than any test: what takes this long ends because it is cut off."""


class LiveWorld:
    """Workers on one node, and a dialer to reach them."""

    def __init__(self, time_scale: float, token: str | None, model: ModelSpec) -> None:
        self.runtime = AsyncioRuntime(time_scale)
        self.journal = ListJournal()
        self.free_vram: list[int | None] = [NODE_BYTES]
        """What has been reported, in order."""
        self._under_way: list[asyncio.Task[Any]] = []
        self.dialer = GrpcDialer(self.runtime, self.journal, token)
        self.workers = LiveWorkers(self.runtime, self.journal, [node_spec()], [model], self._note_report, token)

    def dial(self, address: str) -> GrpcBackend:
        """Return a client."""
        return self.dialer.dial(KEY, address)

    def pids(self) -> list[int]:
        """Return the numbers of the processes that run."""
        return [self.workers.pid(key) for key in self.workers.keys_on(KEY.node)]

    async def loaded(self) -> GrpcBackend:
        """Start the replica with its model, and return a client of it."""
        return self.dial(await self.workers.start_loaded(KEY))

    def predict(self, backend: GrpcBackend, demand_ms: int) -> asyncio.Task[Any]:
        """Have a request of so much work served meanwhile; it is given up when the world ends."""
        task = self.runtime.spawn(backend.predict(request(demand_ms)), "predict")
        self._under_way.append(task)
        return task

    async def hang(self, backend: GrpcBackend) -> None:
        """Have the replica's process hang, and wait until it does."""
        self.workers.hang(KEY)
        with suppress(DeadlineExceeded):
            while True:
                await self.runtime.within(50 * MS, backend.health())

    async def end(self) -> None:
        """Give up what is under way, and close the connections."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.dialer.close()

    def _note_report(self, node: str, report: NodeReport) -> None:
        self.free_vram.append(report.available_vram_bytes)


@asynccontextmanager
async def live_world(
    service: dict[str, str] = DRAWN,
    time_scale: float = 1.0,
    token: str | None = None,
    **backend: Any,
) -> AsyncIterator[LiveWorld]:
    """Give a world whose model has these service times and backend settings, and stop it afterwards."""
    world = LiveWorld(time_scale, token, model_spec(service, backend))
    async with world.workers:
        try:
            yield world
        finally:
            await world.end()


def node_spec() -> NodeSpec:
    """Make the node."""
    return NodeSpec.model_validate({"name": KEY.node, "vram": "24GB", "slots": 4})


def model_spec(service: dict[str, str], backend: dict[str, Any]) -> ModelSpec:
    """Make the model; what its backend leaves open takes a millisecond."""
    settings = {"install_time": "1ms", "load_time": "1ms"} | backend
    return ModelSpec.model_validate({"name": MODEL, "vram": "8GB", "backend": settings, "service": service})


def request(
    demand_ms: int = 0, model: str = MODEL, prompt_tokens: int = 0, output_tokens: int = 0, chain: Chain = ()
) -> Request:
    """Make a request of so much work."""
    return Request(7, model, 0, 0, 0, prompt_tokens, output_tokens, demand_ms * MS, chain=chain)


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run the story on an event loop of its own."""
    asyncio.run(in_time("the story to end", story()))


def is_there(pid: int) -> bool:
    """Tell whether the process exists; one that has ended and waits to be noticed does not count."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_until_gone(pids: list[int]) -> None:
    """Return as soon as none of the processes exists."""
    wait_until(f"processes {pids} to end", lambda: not any(is_there(pid) for pid in pids))
