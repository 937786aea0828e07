"""The reconciler's state pass: compare rows that nobody has used for a while with their processes.

A pass is a sequence of sweeps over the rows. Each sweep remembers what it found in the passes before.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Protocol

from sim.routing.control_plane.exact_stop import Finds
from sim.routing.control_plane.row_inspector import Inspector, Liveness, LongestLoad
from sim.routing.control_plane.streaks import Streaks
from sim.routing.errors import CallError
from sim.routing.fleet import ReplicaRow
from sim.routing.ports import FrontendPorts, RunningProcess
from sim.routing.settings import ReconcilerSettings

LOCK = "state"
"""The advisory lock that lets one frontend at a time make the pass; the others skip theirs."""


class Sweep(Protocol):
    """One kind of check."""

    async def run(self) -> None:
        """Check the rows that it is about. Raises the CallError of a registry that fails."""


NewSweep = Callable[[Inspector], Sweep]

Reaper = Sequence[NewSweep]
"""The sweeps of a pass, in their order."""


def is_listed(row: ReplicaRow, running: Sequence[RunningProcess]) -> bool:
    """Return whether the worker runs the process that the row says."""
    return RunningProcess(row.key, row.address) in running


class ProcessTable:
    """Asks each worker what it runs: a stale row on its list is confirmed, one that is not is deleted."""

    __slots__ = ("_inspector", "_limit", "_misses")

    def __init__(self, inspector: Inspector, misses: int) -> None:
        """A row is deleted when it is missing from as many lists in a row."""
        self._inspector = inspector
        self._limit = misses
        self._misses: Streaks[str] = Streaks()

    async def run(self) -> None:
        """Ask once for each node with stale rows. A worker that does not answer leaves its rows as they are."""
        await self.ask()

    async def ask(self) -> Collection[str]:
        """Ask once for each node with stale rows, and return the nodes whose workers do not answer."""
        rows = sorted(await self._inspector.stale_rows(), key=_node)
        self._misses.keep_only(row.id for row in rows)
        silent: set[str] = set()
        for node, rows_there in groupby(rows, _node):
            running = await self._inspector.processes(node)
            if running is None:
                silent.add(node)
                continue
            for row in rows_there:
                await self._judge(row, is_listed=is_listed(row, running))
        return silent

    async def _judge(self, row: ReplicaRow, *, is_listed: bool) -> None:
        if is_listed:
            self._misses.end(row.id)
            await self._inspector.confirm(row)
        elif self._misses.extend(row.id) >= self._limit:
            await self._inspector.remove(row, "not_in_process_table")


async def _probe_in_turn(
    inspector: Inspector,
    rows: Sequence[ReplicaRow],
    streaks: Streaks[str],
    judge: Callable[[ReplicaRow, Liveness], Awaitable[None]],
) -> None:
    """Begin a pass over the rows: probe and judge one after the other."""
    streaks.keep_only(row.id for row in rows)
    for row in rows:
        await judge(row, await inspector.probe(row))


class PortProbe:
    """Sends a health call to each stale row's address, whether or not the row counts requests."""

    __slots__ = ("_inspector", "_limit", "_misses", "_taken_for_dead")

    def __init__(self, inspector: Inspector, taken_for_dead: Collection[Liveness], misses: int) -> None:
        """As many answers in a row that are `taken_for_dead` delete a row; any other answer ends the streak."""
        self._inspector = inspector
        self._taken_for_dead = taken_for_dead
        self._limit = misses
        self._misses: Streaks[str] = Streaks()

    async def run(self) -> None:
        """Probe one row after the other."""
        await self.probe(await self._inspector.stale_rows())

    async def probe(self, rows: Sequence[ReplicaRow]) -> None:
        """Probe these rows, one after the other; the streaks of all others end."""
        await _probe_in_turn(self._inspector, rows, self._misses, self._judge)

    async def _judge(self, row: ReplicaRow, answer: Liveness) -> None:
        if answer in self._taken_for_dead:
            if self._misses.extend(row.id) >= self._limit:
                await self._inspector.remove(row, "unreachable")
            return
        self._misses.end(row.id)
        if answer is Liveness.ALIVE:
            await self._inspector.confirm(row)


class WorkerFirst:
    """Sends health calls only to stale rows whose worker does not answer.

    A health call cannot tell whose process answers it. If another model's process has the port of one that has ended,
    its answer would confirm the row, and the row would no longer be stale when the worker is to be asked once more.
    """

    __slots__ = ("_inspector", "_probe", "_table")

    def __init__(self, inspector: Inspector, table: ProcessTable, probe: PortProbe) -> None:
        self._inspector = inspector
        self._table = table
        self._probe = probe

    async def run(self) -> None:
        """Ask the workers, then probe the rows of those that did not answer."""
        silent = await self._table.ask()
        await self._probe.probe([row for row in await self._inspector.stale_rows() if row.key.node in silent])


class LeakSweep:
    """Clears the in-flight counts of rows unused for long, if their processes answer promptly and so seem not busy.

    Where health calls do not wait behind requests, a single long request looks the same.
    """

    __slots__ = ("_answers", "_inspector", "_needed")

    def __init__(self, inspector: Inspector, answers: int) -> None:
        """A prompt answer in as many passes in a row clears a count."""
        self._inspector = inspector
        self._needed = answers
        self._answers: Streaks[str] = Streaks()

    async def run(self) -> None:
        """Probe one row after the other."""
        await _probe_in_turn(self._inspector, await self._inspector.suspected_leaks(), self._answers, self._judge)

    async def _judge(self, row: ReplicaRow, answer: Liveness) -> None:
        if answer is not Liveness.ALIVE:
            self._answers.end(row.id)
        elif self._answers.extend(row.id) >= self._needed:
            await self._inspector.clear_in_flight(row)


class StopSweep:
    """Stops the processes of rows that no pick chooses any more, and deletes each row with its process.

    Requests that still run there fail, as they do whenever a process is stopped.
    """

    __slots__ = ("_cause", "_inspector", "_rows")

    def __init__(self, inspector: Inspector, rows: Callable[[], Awaitable[Sequence[ReplicaRow]]], cause: str) -> None:
        """Must come after a sweep that reads the fleet. `rows` reads which rows are to go, for that `cause`."""
        self._inspector = inspector
        self._rows = rows
        self._cause = cause

    async def run(self) -> None:
        """Stop one process after the other. A worker that does not answer, or finds no such process, leaves the row."""
        for row in await self._rows():
            if await self._inspector.stop(row):
                await self._inspector.remove(row, self._cause)


def quarantine(inspector: Inspector) -> Sweep:
    """Return the sweep of rows of an old revision of their model."""
    return StopSweep(inspector, inspector.quarantined_rows, "old_revision")


def abandoned_loads(inspector: Inspector) -> Sweep:
    """Return the sweep of rows that are not loaded long after their load must have ended, as its frontend crashed."""
    return StopSweep(inspector, inspector.abandoned_loads, "abandoned_load")


FIRST_MISS: Reaper = (lambda inspector: PortProbe(inspector, (Liveness.BUSY, Liveness.UNREACHABLE), misses=1),)
"""So it was in LocalAI once: a replica too busy to answer one probe in time loses its row."""


def _second_miss(inspector: Inspector) -> ProcessTable:
    return ProcessTable(inspector, misses=2)


def _third_refusal(inspector: Inspector) -> PortProbe:
    return PortProbe(inspector, (Liveness.UNREACHABLE,), misses=3)


def _second_answer(inspector: Inspector) -> LeakSweep:
    return LeakSweep(inspector, answers=2)


THIRD_MISS: Reaper = (_second_miss, _third_refusal, _second_answer, quarantine)
"""Repaired: the worker's list comes first, only refusals count against a row, leaked counts are cleared, and processes
of an old revision are stopped."""

WORKER_FIRST: Reaper = (
    lambda inspector: WorkerFirst(inspector, _second_miss(inspector), _third_refusal(inspector)),
    _second_answer,
    quarantine,
    abandoned_loads,
)
"""Repaired once more: a process at a port that was another's confirms no row of that one, and a load whose frontend has
crashed gives its slot back."""


class StatePass:
    """Makes one frontend's passes."""

    __slots__ = ("_registry", "_sweeps")

    def __init__(
        self,
        ports: FrontendPorts,
        settings: ReconcilerSettings,
        reaper: Reaper,
        finds: Finds,
        longest_load_ns: LongestLoad,
    ) -> None:
        """`finds` tells which of the processes that are to be stopped their workers find."""
        self._registry = ports.registry
        inspector = Inspector(ports, settings, finds, longest_load_ns)
        self._sweeps = [new_sweep(inspector) for new_sweep in reaper]

    async def run_pass(self) -> None:
        """Make the sweeps in their order unless another frontend does; an error of the registry ends the pass."""
        with suppress(CallError):
            async with self._registry.try_lock(LOCK) as is_ours:
                if not is_ours:
                    return
                for sweep in self._sweeps:
                    await sweep.run()


def _node(row: ReplicaRow) -> str:
    return row.key.node
