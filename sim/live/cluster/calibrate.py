"""Measures this machine: its registry, its worker processes and its event loop, each call alone and in a crowd."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from uuid import uuid4

from sqlalchemy import delete, insert

from sim.live.cluster.calibration import CROWD, Calibration, Sample
from sim.live.nodes.backend import GrpcBackend, GrpcDialer
from sim.live.nodes.worker import LiveWorkers
from sim.live.registry.connection import connect
from sim.live.registry.registry import SqlRegistry
from sim.live.registry.tables import backend_nodes, model_load_infos
from sim.live.runtime import AsyncioRuntime
from sim.routing.fleet import NodeStatus
from sim.routing.policies.best_replica import ChooseBest
from sim.routing.ports import Journal
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.units import NS_PER_S
from sim.scenario import ModelSpec, NodeSpec

WARM_UP = 20
"""Number of requests before those that count, in which connections are made and statements compiled."""

REPLICAS = 4
"""Number of rows that a measured pick chooses from."""

CONNECTIONS = 80
"""To the registry: as many as the frontends of a live run share."""

SERVICE_NS = 2_000_000
"""Service time of the requests that a worker's turnaround is measured with."""

PAUSES_S = (0.05, 0.05, 0.05, 0.5)
"""In turn before each request that is made alone: the longer one waits, the less it finds in the processor's caches.

They grow by up to 1 ms over a calibration, as timers have a grain.
"""

NODE = NodeSpec(name="calibration")
MODEL = ModelSpec.model_validate(
    # The scenario adds no time, so that an install takes what the machine needs.
    {"name": "calibration", "backend": {"install_time": "0s"}, "service": {"mean": "1s"}}
)
REPLICA = ReplicaKey(NODE.name, MODEL.name, 0)

Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each thing is measured."""

    requests: int = 100
    crowds: int = 20
    installs: int = 5

    @classmethod
    def of_calls(cls, calls: int) -> Self:
        """Return how often for so many lone calls of each kind: at least 1, and what takes longer less often."""
        return cls(requests=calls, crowds=-(-calls // 5), installs=-(-calls // 20))  # rounded up


async def calibrate(registry_url: str, effort: Effort | None = None, pick: str = "read_committed") -> Calibration:
    """Measure the registry at that URL with picks of that mode, then workers on this machine.

    The registry may be in use: the rows that are written for this have names of their own, and are deleted. Raises
    Unavailable if the registry cannot be opened or does not answer, or if a worker does not start.
    """
    effort = effort or Effort()
    runtime = AsyncioRuntime()
    dialer = GrpcDialer(runtime, Journal())
    async with (
        connect(registry_url, runtime, pick=pick, connections=CONNECTIONS) as registry,
        _rows_of_our_own(registry) as keys,
        LiveWorkers(runtime, Journal(), [NODE], [MODEL], on_change=lambda _node, _report: None) as workers,
    ):
        try:
            can_herd = pick == "read_committed" and registry.engine.dialect.name != "sqlite"
            return await _Measurement(registry, keys, workers, dialer, effort, can_herd).take()
        finally:
            await dialer.close()


class _Measurement:
    """One calibration, with all that it measures at hand."""

    def __init__(
        self,
        registry: SqlRegistry,
        rows: Sequence[ReplicaKey],
        workers: LiveWorkers,
        dialer: GrpcDialer,
        effort: Effort,
        can_herd: bool,
    ) -> None:
        """`can_herd` says that picks at once do not see each other, so that a late one can be told by its row."""
        self._registry = registry
        self._rows = rows
        self._workers = workers
        self._dialer = dialer
        self._effort = effort
        self._can_herd = can_herd

    async def take(self) -> Calibration:
        """Measure one thing after the other."""
        effort = self._effort
        install, connect, stop = await self._processes()
        backend = self._dialer.dial(REPLICA, await self._workers.start_loaded(REPLICA))
        alone = await self._lone_requests(backend)
        lock_taken, lock_freed = await self._locks()
        crowded_pick, late_picks = await self._crowded_picks()
        return Calibration(
            database=self._registry.engine.dialect.name,
            touch=_sample(alone["touch"]),
            crowded_touch=await _crowded(self._touch, effort.crowds),
            pick=_sample(alone["pick"]),
            crowded_pick=crowded_pick,
            late_picks=late_picks,
            lock_taken=lock_taken,
            lock_freed=lock_freed,
            round_trip=_sample(alone["round_trip"]),
            crowded_round_trip=await _crowded(backend.health, effort.crowds),
            connect=connect,
            wake_up=_sample(alone["wake_up"]),
            turnaround=await self._turnaround(backend),
            install=install,
            stop=stop,
        )

    async def _lone_requests(self, backend: GrpcBackend) -> dict[str, list[int]]:
        """Return what each step of a request took, in ns: it wakes up from a pause, picks, calls and touches."""
        steps: dict[str, Call] = {"pick": self._pick, "round_trip": backend.health, "touch": self._touch}
        for step in (*steps.values(),) * WARM_UP:
            await step()
        took: dict[str, list[int]] = {name: [] for name in ("wake_up", *steps)}
        for number in range(self._effort.requests):
            pause_s = PAUSES_S[number % len(PAUSES_S)] + number / self._effort.requests / 1000
            took["wake_up"].append(max(0, await _time_of(asyncio.sleep(pause_s)) - round(pause_s * NS_PER_S)))
            for name, step in steps.items():
                took[name].append(await _time_of(step()))
        return took

    async def _touch(self) -> None:
        await self._registry.touch(self._rows[0])

    async def _pick(self) -> None:
        await self._registry.pick(self._rows[0].model, ChooseBest())

    async def _locks(self) -> tuple[Sample, Sample]:
        """Take a lock that nobody else wants, and give it back; return the times of both."""
        taken_ns, freed_ns = [], []
        for _ in range(self._effort.requests):
            lock = self._registry.lock(self._rows[0].model)
            taken_ns.append(await _time_of(lock.__aenter__()))
            freed_ns.append(await _time_of(lock.__aexit__(None, None, None)))
        return _sample(taken_ns), _sample(freed_ns)

    async def _crowded_picks(self) -> tuple[Sample, tuple[int, ...]]:
        """Return also how many picks of each crowd were late: they saw the first one counted, and took another row."""
        taken: list[ReplicaKey] = []
        late: list[int] = []

        async def pick() -> None:
            replica = await self._registry.pick(self._rows[0].model, ChooseBest())
            if replica is not None:
                taken.append(replica.key)

        async def count_and_give_back() -> None:
            late.append(len(taken) - taken.count(taken[0]))
            await asyncio.gather(*(self._registry.decrement(key, 1) for key in taken))
            taken.clear()

        sample = await _crowded(pick, self._effort.crowds, count_and_give_back)
        # The first crowd is not measured.
        return sample, tuple(late[1:]) if self._can_herd else ()

    async def _turnaround(self, backend: GrpcBackend) -> Sample:
        shares = await _crowded(
            lambda: backend.predict(Request(0, MODEL.name, 0, 0, 0, demand_ns=SERVICE_NS)), self._effort.crowds
        )
        return _sample([max(0, share_ns - SERVICE_NS) for share_ns in shares.durations_ns])

    async def _processes(self) -> tuple[Sample, Sample, Sample]:
        """Start processes, call each of them once, and stop them; return the times of each step."""
        installs_ns, connects_ns, stops_ns = [], [], []
        for _ in range(self._effort.installs):
            began_ns = time.perf_counter_ns()
            backend = self._dialer.dial(REPLICA, await self._workers.install(REPLICA))
            installs_ns.append(time.perf_counter_ns() - began_ns)
            connects_ns.append(await _time_of(backend.health()))
            stops_ns.append(await _time_of(self._workers.stop(REPLICA)))
        return _sample(installs_ns), _sample(connects_ns), _sample(stops_ns)


async def _nothing() -> None: ...


async def _crowded(call: Call, times: int, tidy_up: Call = _nothing) -> Sample:
    """Make several crowds of calls, one after the other; return of each crowd its time divided by its calls.

    After each, `tidy_up` is called, in time that does not count.
    """

    async def crowd() -> None:
        await asyncio.gather(*(call() for _ in range(CROWD)))

    await crowd()
    await tidy_up()
    shares_ns: list[int] = []
    for _ in range(times):
        await asyncio.sleep(PAUSES_S[0])
        shares_ns.append(await _time_of(crowd()) // CROWD)
        await tidy_up()
    return _sample(shares_ns)


async def _time_of(work: Awaitable[object]) -> int:
    began_ns = time.perf_counter_ns()
    await work
    return time.perf_counter_ns() - began_ns


def _sample(durations_ns: Sequence[int]) -> Sample:
    return Sample(tuple(sorted(durations_ns)))


@asynccontextmanager
async def _rows_of_our_own(registry: SqlRegistry) -> AsyncIterator[Sequence[ReplicaKey]]:
    """Write replicas of a model that has no requests, on a node without room for others."""
    name = f"calibration-{uuid4().hex}"
    keys = [ReplicaKey(name, name, index) for index in range(REPLICAS)]
    # The node is not registered, because that would clear all cooldowns.
    written = insert(backend_nodes).values(id=name, status=NodeStatus.HEALTHY, slots=0)
    try:
        async with registry.engine.begin() as connection:
            await connection.execute(written)
        for key in keys:
            await registry.publish(key, "127.0.0.1:1", in_flight=0)
        yield keys
    finally:
        for key in keys:
            await registry.remove(key)
        async with registry.engine.begin() as connection:
            await connection.execute(delete(backend_nodes).where(backend_nodes.c.id == name))
            await connection.execute(delete(model_load_infos).where(model_load_infos.c.model == name))
