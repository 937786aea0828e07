"""Measures on this machine what a scenario assumes: the time of a registry transaction, a message and an install."""

import os
import platform
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import delete, insert

from sim.live.nodes.backend import GrpcDialer
from sim.live.nodes.worker import LiveWorkers
from sim.live.registry.connection import connect
from sim.live.registry.registry import SqlRegistry
from sim.live.registry.tables import backend_nodes, model_load_infos
from sim.live.runtime import AsyncioRuntime
from sim.routing.fleet import NodeStatus
from sim.routing.policies.best_replica import ChooseBest
from sim.routing.ports import Journal
from sim.routing.replica import ReplicaKey
from sim.scenario import ModelSpec, NodeSpec
from sim.scenario.text.units import format_duration

WARM_UP = 20
"""Number of calls before those that count, in which connections are made and statements compiled."""

REPLICAS = 4
"""Number of rows that a measured pick chooses from."""

US = 1_000


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each thing is measured."""

    transactions: int = 300
    calls: int = 300
    installs: int = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """Durations of one kind, in nanoseconds, in ascending order."""

    durations_ns: tuple[int, ...]

    def percentile_ns(self, percent: int) -> int:
        """Return the smallest duration that at least so many in a hundred do not exceed; `percent` is 1 to 100."""
        rank = -(-len(self.durations_ns) * percent // 100)  # rounded up
        return self.durations_ns[rank - 1]

    @property
    def median_ns(self) -> int:
        """The middle one; of an even number the lower."""
        return self.percentile_ns(50)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured."""

    database: str
    """`sqlite` or `postgresql`."""
    touch: Sample
    """Transactions of a single statement, from the call to the commit."""
    pick: Sample
    """Transactions that choose a row and count a request on it, without contention."""
    round_trip: Sample
    """Health calls to an idle worker on this machine."""
    install: Sample
    """From the start of a worker process to its first answer that it is well."""

    def settings(self) -> dict[str, str]:
        """Return the values by their place in a scenario, in whole microseconds; `backend.*` belongs under a model."""
        return {
            "registry.transaction": _rounded(self.touch.median_ns),
            "registry.pick": _rounded(self.pick.median_ns),
            "network.latency": _rounded(self.round_trip.median_ns // 2),
            "backend.install_time": _rounded(self.install.median_ns),
        }

    def samples(self) -> dict[str, Sample]:
        """Return all that was measured, by name."""
        return {
            "registry.touch": self.touch,
            "registry.pick": self.pick,
            "network.round_trip": self.round_trip,
            "worker.install": self.install,
        }


async def calibrate(registry_url: str, effort: Effort | None = None) -> Calibration:
    """Measure the registry at that URL, then workers on this machine.

    The registry may be in use: the rows that are written for this have names of their own, and are deleted. Raises
    Unavailable if the registry cannot be opened or does not answer, or if a worker does not start.
    """
    effort = effort or Effort()
    runtime = AsyncioRuntime()
    async with connect(registry_url, runtime) as registry, _rows_of_our_own(registry) as keys:
        touch = await _timed(lambda: registry.touch(keys[0]), effort.transactions)
        pick = await _timed(lambda: registry.pick(keys[0].model, ChooseBest()), effort.transactions)
        database = registry.engine.dialect.name
    round_trip, install = await _measure_workers(runtime, effort)
    return Calibration(database, touch, pick, round_trip, install)


def machine_facts() -> dict[str, str | int]:
    """Return the facts that a reader needs to compare the figures with another machine's."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": os.cpu_count() or 1,
        "python": platform.python_version(),
    }


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


async def _measure_workers(runtime: AsyncioRuntime, effort: Effort) -> tuple[Sample, Sample]:
    """Return the health calls of an idle worker, and the installs."""
    node = NodeSpec(name="calibration")
    model = ModelSpec.model_validate(
        # The scenario adds no time, so that an install takes what the machine needs.
        {"name": "calibration", "backend": {"install_time": "0s"}, "service": {"mean": "1s"}}
    )
    journal = Journal()
    dialer = GrpcDialer(runtime, journal)
    key = ReplicaKey(node.name, model.name, 0)
    installs_ns: list[int] = []
    async with LiveWorkers(runtime, journal, [node], [model], on_change=lambda _node, _report: None) as workers:
        address = await workers.install(key)
        round_trip = await _timed(dialer.dial(key, address).health, effort.calls)
        await dialer.close()
        for _ in range(effort.installs):
            workers.kill(key)
            began_ns = time.perf_counter_ns()
            await workers.install(key)
            installs_ns.append(time.perf_counter_ns() - began_ns)
    return round_trip, Sample(tuple(sorted(installs_ns)))


async def _timed(call: Callable[[], Awaitable[object]], times: int) -> Sample:
    """Make the calls one after the other."""
    for _ in range(WARM_UP):
        await call()
    durations_ns = []
    for _ in range(times):
        began_ns = time.perf_counter_ns()
        await call()
        durations_ns.append(time.perf_counter_ns() - began_ns)
    return Sample(tuple(sorted(durations_ns)))


def _rounded(duration_ns: int) -> str:
    return format_duration(max(1, round(duration_ns / US)) * US)
