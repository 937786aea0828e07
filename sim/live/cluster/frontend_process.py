"""One frontend as a process of its own. It routes its share of the requests, on the shared clock."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sim.live.cluster.journal_log import Entry, JournalLog
from sim.live.cluster.warm_up import warm_up
from sim.live.loops import running
from sim.live.nodes.backend import GrpcDialer
from sim.live.nodes.worker_control import RemoteWorkers
from sim.live.recording.lines import Line, Transcript
from sim.live.recording.picks import RecordingPick
from sim.live.recording.ports import build_recorded_frontend
from sim.live.registry.connection import connect
from sim.live.registry.picks import SqlPick
from sim.live.runtime import AsyncioRuntime
from sim.programs.at_work import Programs
from sim.routing.clients import Clients, Serve
from sim.routing.control_plane.background import Rank
from sim.routing.errors import DeadlineExceeded
from sim.routing.frontend import build_frontend
from sim.routing.policies.port import PolicyError
from sim.routing.ports import FrontendPorts
from sim.scenario import Plan, Scenario, make_plan
from sim.scenario.policies.making import policy_of

_MOST_CONNECTIONS = 80
"""Database connections of all frontends together. PostgreSQL allows 100 by default."""


@dataclass(frozen=True, slots=True)
class FrontendOrder:
    """What a frontend process gets when it starts."""

    index: int
    scenario: Scenario
    registry_url: str
    workers_path: Path
    time_scale: float
    token: str
    record: bool
    """Whether to keep a transcript, for a replay."""


@dataclass(frozen=True, slots=True)
class FrontendReport:
    """What it returns when it has finished."""

    entries: list[Entry]
    transactions: int
    floor_hits: int
    transcript: list[Line]
    """Empty unless the run is recorded."""


def run_frontend(order: FrontendOrder, line: Connection) -> None:
    """Run the frontend: report that it is ready, wait for the epoch, play the plan, return the report."""
    try:
        with Programs() as programs:
            asyncio.run(_run(order, line, programs))
    except PolicyError as error:
        # The user's mistake, which the parent is to tell; what a process has gone down with otherwise is our bug.
        line.send(error)


async def _run(order: FrontendOrder, line: Connection, programs: Programs) -> None:
    router = order.scenario.router_of(order.index)
    runtime = AsyncioRuntime(order.time_scale)
    journal = JournalLog(runtime)
    transcript = Transcript(runtime)
    dialer = GrpcDialer(runtime, journal, order.token)
    async with connect(
        order.registry_url,
        runtime,
        pick=router.pick,
        connections=_MOST_CONNECTIONS // order.scenario.frontends.count,
        lock_waited=journal.lock_waited,
        new_pick=RecordingPick if order.record else SqlPick,
    ) as registry:
        ports = FrontendPorts(runtime, registry, dialer, RemoteWorkers(order.workers_path), journal)
        settings, models = router.settings(), order.scenario.configs_by_model()
        new_chooser = policy_of(router.policy, order.scenario.seed, order.index, programs)
        rank = Rank(order.index, order.scenario.frontends.count)
        frontend = build_frontend(settings, ports, models, order.scenario.loops(), rank, new_chooser)
        serve = frontend.serve
        if order.record:
            # The loops are not recorded: for a request they belong to the world.
            serve = build_recorded_frontend(transcript, settings, ports, models, new_chooser).serve
        await warm_up(registry)
        journal.entries.clear()
        transactions_before = registry.transactions
        line.send("ready")
        runtime.start_at(await asyncio.to_thread(line.recv))
        async with running(frontend.loops):
            await _play(order, runtime, journal, serve)
        await frontend.close()
        await registry.drain()
        transactions = registry.transactions - transactions_before
        line.send(FrontendReport(journal.entries, transactions, registry.floor_hits, transcript.lines))
    await dialer.close()


async def _play(order: FrontendOrder, runtime: AsyncioRuntime, journal: JournalLog, serve: Serve) -> None:
    """Send the requests of this frontend, and wait for their ends, at most for the scenario's drain limit."""
    scenario = order.scenario
    plan = make_plan(scenario, scenario.seed)
    clients = Clients(runtime, journal, frontends={order.index: serve})
    limit_ns = scenario.duration_ns + scenario.drain_limit_ns - runtime.now_ns()
    with suppress(DeadlineExceeded):
        await _unless_a_task_fails(runtime, runtime.within(limit_ns, _send_all(order.index, runtime, clients, plan)))


async def _unless_a_task_fails(runtime: AsyncioRuntime, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, but raise the failure of a spawned task as soon as there is one."""
    failed: asyncio.Future[None] = runtime.future()

    def fail(failure: BaseException) -> None:
        # Of several the first is told.
        if not failed.done():
            failed.set_exception(failure)

    runtime.on_failure = fail
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait({working, failed}, return_when=asyncio.FIRST_COMPLETED)
        await (failed if failed.done() else working)
    finally:
        working.cancel()
        failed.cancel()


async def _send_all(index: int, runtime: AsyncioRuntime, clients: Clients, plan: Plan) -> None:
    mine = (request for request in plan.open if request.frontend == index)
    users = [user for user in plan.closed_users if user.frontend == index]
    await asyncio.gather(clients.send_as_planned(mine), *(clients.take_turns(user) for user in users))
    if plan.scenario.control_plane is not None or plan.scenario.faults:
        await runtime.sleep(max(0, plan.scenario.duration_ns - runtime.now_ns()))
    await runtime.all_done()
