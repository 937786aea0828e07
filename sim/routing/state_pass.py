"""The reconciler's state pass: rows that nobody has shown interest in for a while are held against their processes.

A pass is a sequence of sweeps over the rows, each with a memory of its own of what it found in the passes before.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from itertools import groupby
from typing import Protocol

from sim.routing.errors import CallError, Unavailable
from sim.routing.fleet import Fleet, FleetRegistry, ReplicaRow
from sim.routing.ports import Dialer, Journal, RunningProcess, Runtime, WorkerControl
from sim.routing.settings import ReconcilerSettings
from sim.routing.states import RowState

LOCK = "state"
"""Name of the advisory lock that lets one frontend at a time make the pass; the others go without theirs."""


class Liveness(Enum):
    """What a health call says of a process."""

    ALIVE = "alive"
    """It answered in time that it is well."""
    BUSY = "busy"
    """It did not, but something is there."""
    UNREACHABLE = "unreachable"
    """Nobody is there, or nobody who is well."""


def liveness(error: CallError | None) -> Liveness:
    """Read how a health call ended; None for well. Only Unavailable is a sign that the process has gone."""
    if error is None:
        return Liveness.ALIVE
    return Liveness.UNREACHABLE if isinstance(error, Unavailable) else Liveness.BUSY


def stale_rows(fleet: Fleet, before_ns: int) -> list[ReplicaRow]:
    """Return the loaded rows whose last update is earlier than that wall time, by id."""
    return [row for row in fleet.rows if row.is_loaded and row.updated_ns < before_ns]


def suspected_leaks(fleet: Fleet, before_ns: int) -> list[ReplicaRow]:
    """Return the loaded rows that count requests, the last of them begun earlier than that wall time, by id."""
    return [row for row in fleet.rows if row.is_loaded and row.in_flight and row.last_used_ns < before_ns]


def quarantined_rows(fleet: Fleet) -> list[ReplicaRow]:
    """Return the rows that are unloading, by id."""
    return [row for row in fleet.rows if row.state is RowState.UNLOADING]


class Streaks:
    """How many passes in a row something was found of a row."""

    __slots__ = ("_lengths",)

    def __init__(self) -> None:
        self._lengths: dict[str, int] = {}

    def keep_only(self, rows: Collection[ReplicaRow]) -> None:
        """Begin a pass over these rows; the streaks of all others are over."""
        self._lengths = {row.id: self._lengths[row.id] for row in rows if row.id in self._lengths}

    def extend(self, row: ReplicaRow) -> int:
        """Note that it was found once more, and return how often in a row it was."""
        length = self._lengths[row.id] = self._lengths.get(row.id, 0) + 1
        return length

    def end(self, row: ReplicaRow) -> None:
        """Note that it was not found."""
        self._lengths.pop(row.id, None)


class Inspector:
    """What all sweeps need: to find rows, to ask their processes, to say so in the registry."""

    __slots__ = ("_dialer", "_has_quarantine", "_journal", "_registry", "_runtime", "_settings", "_worker")

    def __init__(
        self,
        runtime: Runtime,
        registry: FleetRegistry,
        dialer: Dialer,
        worker: WorkerControl,
        journal: Journal,
        settings: ReconcilerSettings,
    ) -> None:
        self._has_quarantine = False
        self._runtime = runtime
        self._registry = registry
        self._dialer = dialer
        self._worker = worker
        self._journal = journal
        self._settings = settings

    async def stale_rows(self) -> list[ReplicaRow]:
        """Read the rows that are stale as of now."""
        fleet = await self._read()
        return stale_rows(fleet, self._runtime.wall_ns() - self._settings.stale_row_after_ns)

    async def suspected_leaks(self) -> list[ReplicaRow]:
        """Read the rows whose counts are suspect as of now."""
        fleet = await self._read()
        return suspected_leaks(fleet, self._runtime.wall_ns() - self._settings.leak_after_ns)

    async def quarantined_rows(self) -> list[ReplicaRow]:
        """Read the rows that are unloading now; none if the sweep before saw none, at no cost."""
        return quarantined_rows(await self._read()) if self._has_quarantine else []

    async def processes(self, node: str) -> Sequence[RunningProcess] | None:
        """Return what runs on the node; None if its worker does not say."""
        try:
            return await self._worker.processes(node)
        except CallError:
            return None

    async def probe(self, row: ReplicaRow) -> Liveness:
        """Send a health call to the row's address."""
        backend = self._dialer.dial(row.key, row.address)
        try:
            await self._runtime.within(self._settings.probe_timeout_ns, backend.health())
        except CallError as error:
            return liveness(error)
        return liveness(None)

    async def stop(self, row: ReplicaRow) -> bool:
        """Have the row's process end; False if its worker does not answer."""
        try:
            await self._worker.stop(row.key)
        except CallError:
            return False
        return True

    async def confirm(self, row: ReplicaRow) -> None:
        """Have the row count as updated now."""
        await self._registry.confirm_row(row.id)

    async def remove(self, row: ReplicaRow, cause: str) -> None:
        """Delete the row; nothing happens if it has gone."""
        if await self._registry.remove_row(row.id):
            self._journal.row_removed(row.key, row.address, cause, None)

    async def clear_in_flight(self, row: ReplicaRow) -> None:
        """Have the row count no requests."""
        await self._registry.clear_in_flight(row.id)

    async def _read(self) -> Fleet:
        fleet = await self._registry.fleet()
        self._has_quarantine = bool(quarantined_rows(fleet))
        return fleet


class Sweep(Protocol):
    """One kind of inspection."""

    async def run(self) -> None:
        """Inspect the rows that it is about. Raises the CallError of a registry that fails."""


NewSweep = Callable[[Inspector], Sweep]

Reaper = Sequence[NewSweep]
"""The sweeps of a pass, in their order."""


class ProcessTable:
    """Asks each worker what it runs: a stale row that it lists is confirmed, one that it does not list is deleted."""

    __slots__ = ("_inspector", "_limit", "_misses")

    def __init__(self, inspector: Inspector, misses: int) -> None:
        """`misses` in a row delete a row."""
        self._inspector = inspector
        self._limit = misses
        self._misses = Streaks()

    async def run(self) -> None:
        """Ask once for each node with stale rows. A worker that does not answer leaves its rows as they are."""
        rows = sorted(await self._inspector.stale_rows(), key=_node)
        self._misses.keep_only(rows)
        for node, rows_there in groupby(rows, _node):
            running = await self._inspector.processes(node)
            if running is None:
                continue
            for row in rows_there:
                await self._judge(row, is_listed=RunningProcess(row.key, row.address) in running)

    async def _judge(self, row: ReplicaRow, *, is_listed: bool) -> None:
        if is_listed:
            self._misses.end(row)
            await self._inspector.confirm(row)
        elif self._misses.extend(row) >= self._limit:
            await self._inspector.remove(row, "not_in_process_table")


class PortProbe:
    """Sends a health call to each stale row's address; whether the row counts requests makes no difference."""

    __slots__ = ("_inspector", "_limit", "_misses", "_taken_for_dead")

    def __init__(self, inspector: Inspector, taken_for_dead: Collection[Liveness], misses: int) -> None:
        """So many answers in a row that are taken for death delete a row; any other one ends the streak."""
        self._inspector = inspector
        self._taken_for_dead = taken_for_dead
        self._limit = misses
        self._misses = Streaks()

    async def run(self) -> None:
        """Probe one row after the other."""
        rows = await self._inspector.stale_rows()
        self._misses.keep_only(rows)
        for row in rows:
            await self._judge(row, await self._inspector.probe(row))

    async def _judge(self, row: ReplicaRow, answer: Liveness) -> None:
        if answer in self._taken_for_dead:
            if self._misses.extend(row) >= self._limit:
                await self._inspector.remove(row, "unreachable")
            return
        self._misses.end(row)
        if answer is Liveness.ALIVE:
            await self._inspector.confirm(row)


class LeakSweep:
    """Clears the counts of rows unused for long whose processes answer promptly, so are not busy with anything.

    Where health calls do not wait behind requests, a single request that runs for longer looks the same.
    """

    __slots__ = ("_answers", "_inspector", "_needed")

    def __init__(self, inspector: Inspector, answers: int) -> None:
        """`answers` in passes in a row clear a count."""
        self._inspector = inspector
        self._needed = answers
        self._answers = Streaks()

    async def run(self) -> None:
        """Probe one row after the other."""
        rows = await self._inspector.suspected_leaks()
        self._answers.keep_only(rows)
        for row in rows:
            await self._judge(row, await self._inspector.probe(row))

    async def _judge(self, row: ReplicaRow, answer: Liveness) -> None:
        if answer is not Liveness.ALIVE:
            self._answers.end(row)
        elif self._answers.extend(row) >= self._needed:
            await self._inspector.clear_in_flight(row)


class Quarantine:
    """Ends the processes of rows that a new revision of their model has overtaken, and deletes each with its process.

    Requests that still run there fail, as they do whenever a process is stopped. By then no pick takes such a row.
    """

    __slots__ = ("_inspector",)

    def __init__(self, inspector: Inspector) -> None:
        """The sweep comes after one that reads the fleet."""
        self._inspector = inspector

    async def run(self) -> None:
        """Stop one process after the other. A worker that does not answer leaves its rows to the next pass."""
        for row in await self._inspector.quarantined_rows():
            if await self._inspector.stop(row):
                await self._inspector.remove(row, "old_revision")


FIRST_MISS: Reaper = (lambda inspector: PortProbe(inspector, (Liveness.BUSY, Liveness.UNREACHABLE), misses=1),)
"""LocalAI's way once: a replica too busy to answer one probe in time loses its row."""

THIRD_MISS: Reaper = (
    lambda inspector: ProcessTable(inspector, misses=2),
    lambda inspector: PortProbe(inspector, (Liveness.UNREACHABLE,), misses=3),
    lambda inspector: LeakSweep(inspector, answers=2),
    Quarantine,
)
"""The repair: the worker's word goes first, only refusals count against a row, leaked counts are cleared, and what an
old revision has left goes."""

REAPERS: Mapping[str, Reaper] = {"first_miss": FIRST_MISS, "third_miss": THIRD_MISS}
"""By the name that a scenario gives it."""


class StatePass:
    """Makes the sweeps of one frontend, which remember what they found between passes, in their order."""

    __slots__ = ("_registry", "_sweeps")

    def __init__(
        self,
        runtime: Runtime,
        registry: FleetRegistry,
        dialer: Dialer,
        worker: WorkerControl,
        journal: Journal,
        settings: ReconcilerSettings,
        reaper: Reaper,
    ) -> None:
        self._registry = registry
        inspector = Inspector(runtime, registry, dialer, worker, journal, settings)
        self._sweeps = [new_sweep(inspector) for new_sweep in reaper]

    async def run_pass(self) -> None:
        """Make the sweeps unless another frontend is at it; an error of the registry ends the pass."""
        with suppress(CallError):
            async with self._registry.try_lock(LOCK) as is_ours:
                if not is_ours:
                    return
                for sweep in self._sweeps:
                    await sweep.run()


def _node(row: ReplicaRow) -> str:
    return row.key.node
