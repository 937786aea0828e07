"""A live run: worker processes, a SQL registry and frontend processes on this machine, playing one scenario."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.live.cluster.faults import LiveParts, inject
from sim.live.cluster.frontend_handle import FrontendHandle, LiveRunFailed
from sim.live.cluster.frontend_process import FrontendOrder, FrontendReport
from sim.live.cluster.journal_log import Entry, JournalLog, merged
from sim.live.cluster.node_faults import NodeFaults
from sim.live.nodes.backend import GrpcDialer
from sim.live.nodes.worker import LiveWorkers
from sim.live.recording.lines import Line
from sim.live.registry.connection import connect
from sim.live.registry.load_jobs import SqlLoadJobs
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import CallError, Unavailable
from sim.routing.fleet import NodeReport
from sim.routing.ports import Clock
from sim.routing.replica import ReplicaKey
from sim.routing.units import NS_PER_S
from sim.scenario import ReplicaSpec, Scenario

_PARENT_CONNECTIONS = 4
_FAR_AHEAD_NS = 3600 * NS_PER_S
_ANSWER_LIMIT_S = 10
"""Real time within which a backend of the user's own has to answer a health call."""
_LEAD_NS = 100_000_000
"""Real time from the order to start until the start, so that every process has received it."""


@dataclass(frozen=True, slots=True)
class LiveOutcome:
    """The results of a live run."""

    entries: list[Entry]
    """What every process reported to its journal, in order of time."""
    transactions: int
    floor_hits: int
    final_in_flight: int
    end_ns: int
    running_addresses: tuple[str, ...]
    """Addresses of the processes that ran at the end. The entries tell when the others ended."""
    transcripts: tuple[list[Line], ...]
    """The transcript of each frontend, for a recording; empty unless the run was recorded."""


async def run_live(
    scenario: Scenario,
    registry_url: str,
    time_scale: float,
    folder: Path,
    watch: Callable[[Clock], None],
    record: bool = False,
) -> LiveOutcome:
    """Play the scenario for real and return what happened. None of its processes survives the call.

    `folder` is for the run's sockets. `watch` gets the run's clock when it begins. With
    `record`, each pick takes a little longer.
    """
    runtime = AsyncioRuntime(time_scale)
    # Until the start is set, times are far below 0, so that what is written then looks older than anything later.
    runtime.start_at(time.monotonic_ns() + _FAR_AHEAD_NS)
    journal = JournalLog(runtime)
    token = secrets.token_hex(16)
    async with (
        connect(registry_url, runtime, connections=_PARENT_CONNECTIONS) as registry,
        _workers(scenario, runtime, journal, registry, token) as workers,
    ):
        await registry.reset()
        for node in scenario.nodes:
            await registry.register_node(scenario.facts_of(node))
        workers_path = folder / "workers.sock"
        await workers.serve(workers_path)
        orders = [
            FrontendOrder(index, scenario, registry_url, workers_path, time_scale, token, record)
            for index in range(scenario.frontends.count)
        ]
        return await _Run(scenario, runtime, journal, registry, workers, watch).play(orders)


@asynccontextmanager
async def _workers(
    scenario: Scenario, runtime: AsyncioRuntime, journal: JournalLog, registry: SqlLoadJobs, token: str
) -> AsyncIterator[LiveWorkers]:
    def report_at_once(node: str, report: NodeReport) -> None:
        # Where there are heartbeats, the next one reports it.
        if scenario.control_plane is None:
            runtime.spawn(registry.heartbeat(node, report), "report VRAM")

    workers = LiveWorkers(runtime, journal, scenario.nodes, scenario.models, report_at_once, token)
    async with workers:
        yield workers


@dataclass(frozen=True, slots=True)
class _Run:
    """One run whose registry and workers are ready."""

    scenario: Scenario
    runtime: AsyncioRuntime
    journal: JournalLog
    registry: SqlLoadJobs
    workers: LiveWorkers
    watch: Callable[[Clock], None]

    async def play(self, orders: list[FrontendOrder]) -> LiveOutcome:
        """Start the frontends, bring the replicas up as the scenario times them, and gather the reports."""
        frontends = [FrontendHandle(order) for order in orders]
        try:
            await self._bring_up_first()
            for frontend in frontends:
                await frontend.ready()
            await self._freshen()
            epoch_ns = time.monotonic_ns() + _LEAD_NS
            self.runtime.start_at(epoch_ns)
            # Entries from the set-up describe the state at the start.
            self.journal.entries[:] = [Entry(0, entry.what, entry.args) for entry in self.journal.entries]
            self.watch(self.runtime)
            for frontend in frontends:
                frontend.begin_at(epoch_ns)
            reports = await self._reports(frontends)
        finally:
            for frontend in frontends:
                frontend.stop()
        return await self._outcome(reports)

    async def _reports(self, frontends: list[FrontendHandle]) -> list[FrontendReport]:
        """Wait for every frontend's report while all else goes on; the first failure anywhere is raised at once."""
        try:
            async with asyncio.TaskGroup() as group:
                background = [group.create_task(work) for work in self._background()]
                reports = [group.create_task(frontend.report()) for frontend in frontends]
                await asyncio.wait(reports)
                for task in background:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        return [report.result() for report in reports]

    def _background(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield the work beside the frontends: late replicas, heartbeats, faults."""
        nodes = NodeFaults(self.workers)
        for key, replica in self._replicas():
            if replica.ready_at_ns:
                yield self._bring_up(key, replica)
        if self.scenario.control_plane is not None:
            for node in self.scenario.nodes:
                yield self._beat_for_ever(nodes, node.name, self.scenario.control_plane.heartbeat_ns)
        facts = {node.name: self.scenario.facts_of(node) for node in self.scenario.nodes}
        drain = self.scenario.router.control.drain
        parts = LiveParts(self.runtime, self.journal, self.registry, self.workers, nodes, facts, drain)
        for fault in self.scenario.faults:
            yield inject(parts, fault)

    def _replicas(self) -> Iterator[tuple[ReplicaKey, ReplicaSpec]]:
        """Yield the scenario's replicas, with what it says of each."""
        for model in self.scenario.models:
            for index, replica in model.numbered_replicas():
                yield ReplicaKey(replica.node, model.name, index), replica

    async def _bring_up_first(self) -> None:
        """Start the replicas that are ready at time 0 concurrently, and publish them in the scenario's order."""
        first = [(key, replica) for key, replica in self._replicas() if not replica.ready_at_ns]
        addresses = await asyncio.gather(*(self._address(key, replica) for key, replica in first))
        for (key, _), address in zip(first, addresses, strict=True):
            await self._publish(key, address)

    async def _bring_up(self, key: ReplicaKey, replica: ReplicaSpec) -> None:
        """Start a process early: the scenario says when its row is there, not when its process starts."""
        address = await self._address(key, replica)
        await self.runtime.sleep(max(0, replica.ready_at_ns - self.runtime.now_ns()))
        await self._publish(key, address)

    async def _address(self, key: ReplicaKey, replica: ReplicaSpec) -> str:
        """Return where the replica listens: a backend of the user's own, or a process started for it."""
        if replica.address is not None:
            await self._check_answers(key, replica.address)
            return replica.address
        try:
            return await self.workers.start_loaded(key)
        except CallError as error:
            raise LiveRunFailed(f"the process of {key} could not be started: {error}") from error

    async def _check_answers(self, key: ReplicaKey, address: str) -> None:
        """Make sure that the user's own backend is there: the router would have a worker start one in its place."""
        dialer = GrpcDialer(self.runtime, self.journal)
        limit_ns = int(_ANSWER_LIMIT_S * NS_PER_S / self.runtime.time_scale)
        try:
            await self.runtime.within(limit_ns, dialer.dial(key, address).health())
        except CallError as error:
            raise Unavailable(f"nobody answers at {address}, the address of {key}: {error}") from error
        finally:
            await dialer.close()

    async def _freshen(self) -> None:
        """Set the times of rows from the set-up to the start, for loops that look at their age."""
        if self.scenario.control_plane is None:
            return
        self.runtime.start_at(time.monotonic_ns() + _LEAD_NS)
        for node in self.scenario.nodes:
            await self.registry.heartbeat(node.name, self.workers.report(node.name))
        for key, replica in self._replicas():
            if not replica.ready_at_ns:
                await self.registry.touch(key)

    async def _beat_for_ever(self, nodes: NodeFaults, node: str, every_ns: int) -> None:
        while True:
            await self.runtime.sleep(every_ns)
            if nodes.is_heard(node):
                with suppress(CallError):
                    await self.registry.heartbeat(node, self.workers.report(node))

    async def _publish(self, key: ReplicaKey, address: str) -> None:
        await self.registry.publish(key, address, in_flight=0)
        self.journal.row_published(key, "scenario")

    def _addresses_of_others(self) -> Iterator[str]:
        """Yield the addresses of the user's own backends, which count as up all the time."""
        yield from (replica.address for _, replica in self._replicas() if replica.address)

    async def _outcome(self, reports: list[FrontendReport]) -> LiveOutcome:
        entries = merged([self.journal.entries, *(report.entries for report in reports)])
        return LiveOutcome(
            entries=entries,
            transactions=sum(report.transactions for report in reports),
            floor_hits=sum(report.floor_hits for report in reports),
            final_in_flight=await self.registry.total_in_flight(),
            end_ns=max((entry.t_ns for entry in entries), default=0),
            running_addresses=(*self.workers.addresses(), *self._addresses_of_others()),
            transcripts=tuple(report.transcript for report in reports),
        )
