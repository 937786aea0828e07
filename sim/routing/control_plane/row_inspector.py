"""What the sweeps of the state pass work with: rows that may be wrong, and the health of their processes."""

from collections.abc import Callable, Coroutine, Sequence
from enum import Enum
from typing import Any, TypeVar

from sim.routing.control_plane.exact_stop import Finds
from sim.routing.errors import CallError, DeadlineExceeded, Unavailable
from sim.routing.fleet import Fleet, ReplicaRow, RowState
from sim.routing.outcomes import ProbeOutcome
from sim.routing.ports import FrontendPorts, RunningProcess
from sim.routing.settings import ReconcilerSettings

T = TypeVar("T")

LongestLoad = Callable[[str], int]
"""Returns how long LoadModel may take for a model, in nanoseconds."""


class Liveness(Enum):
    """What a health call says of a process."""

    ALIVE = "alive"
    """It answered in time that it is well."""
    BUSY = "busy"
    """It did not answer in time, but something is there."""
    UNREACHABLE = "unreachable"
    """Nobody is there, or it answered that it is not well."""


def liveness(error: CallError | None) -> Liveness:
    """Classify how a health call ended; None for well. Only Unavailable shows that the process has gone."""
    if error is None:
        return Liveness.ALIVE
    return Liveness.UNREACHABLE if isinstance(error, Unavailable) else Liveness.BUSY


def _outcome(error: CallError | None) -> ProbeOutcome:
    if error is None:
        return ProbeOutcome.OK
    return ProbeOutcome.TIMEOUT if isinstance(error, DeadlineExceeded) else ProbeOutcome.FAILED


def stale_rows(fleet: Fleet, before_ns: int) -> list[ReplicaRow]:
    """Return the loaded rows whose last update is earlier than that wall time, by id."""
    return [row for row in fleet.rows if row.is_loaded and row.updated_ns < before_ns]


def suspected_leaks(fleet: Fleet, before_ns: int) -> list[ReplicaRow]:
    """Return the loaded rows that count requests but were last used before that wall time, by id."""
    return [row for row in fleet.rows if row.is_loaded and row.in_flight and row.last_used_ns < before_ns]


def quarantined_rows(fleet: Fleet) -> list[ReplicaRow]:
    """Return the rows that are unloading, by id."""
    return [row for row in fleet.rows if row.state is RowState.UNLOADING]


def abandoned_loads(fleet: Fleet, before_ns: int, longest_load_ns: LongestLoad) -> list[ReplicaRow]:
    """Return the rows on the way to loaded whose load should have ended before that wall time, by id."""
    return [
        row
        for row in fleet.rows
        if row.state in (RowState.STAGING, RowState.LOADING)
        and row.updated_ns + longest_load_ns(row.key.model) < before_ns
    ]


class Inspector:
    """What all sweeps need: find rows, ask their processes, correct the registry."""

    __slots__ = ("_finds", "_last_read", "_longest_load_ns", "_ports", "_settings")

    def __init__(
        self, ports: FrontendPorts, settings: ReconcilerSettings, finds: Finds, longest_load_ns: LongestLoad
    ) -> None:
        self._ports = ports
        self._finds = finds
        self._settings = settings
        self._longest_load_ns = longest_load_ns
        self._last_read: Fleet | None = None

    async def stale_rows(self) -> list[ReplicaRow]:
        """Read the rows that are stale as of now."""
        fleet = await self._read()
        return stale_rows(fleet, self._ports.runtime.wall_ns() - self._settings.stale_row_after_ns)

    async def suspected_leaks(self) -> list[ReplicaRow]:
        """Read the rows whose in-flight counts look leaked now."""
        fleet = await self._read()
        return suspected_leaks(fleet, self._ports.runtime.wall_ns() - self._settings.leak_after_ns)

    async def quarantined_rows(self) -> list[ReplicaRow]:
        """Read the rows that are unloading now; skip the reading if the one before showed none."""
        return await self._still(quarantined_rows)

    async def abandoned_loads(self) -> list[ReplicaRow]:
        """Read the rows that nobody loads any more as of now; skip the reading if the one before showed none."""
        return await self._still(self._abandoned_loads)

    async def processes(self, node: str) -> Sequence[RunningProcess] | None:
        """Return what runs on the node; None if its worker does not answer in time."""
        try:
            return await self._in_time(self._ports.worker.processes(node))
        except CallError:
            return None

    async def probe(self, row: ReplicaRow) -> Liveness:
        """Send a health call to the row's address."""
        runtime, started_ns = self._ports.runtime, self._ports.runtime.now_ns()
        backend, failure = self._ports.dialer.dial(row.key, row.address), None
        try:
            await runtime.within(self._settings.probe_timeout_ns, backend.health())
        except CallError as error:
            failure = error
        self._ports.journal.probed(None, row.key, row.address, started_ns, _outcome(failure))
        return liveness(failure)

    async def stop(self, row: ReplicaRow) -> bool:
        """Stop the row's process; False if its worker does not answer in time, or does not find it."""
        if not self._finds(row.address):
            return False
        try:
            await self._in_time(self._ports.worker.stop(row.key))
        except CallError:
            return False
        return True

    async def confirm(self, row: ReplicaRow) -> None:
        """Set the row's update time to now."""
        await self._ports.registry.confirm_row(row.id)

    async def remove(self, row: ReplicaRow, cause: str) -> None:
        """Delete the row; nothing happens if it has gone."""
        if await self._ports.registry.remove_row(row.id):
            self._ports.journal.row_removed(row.key, row.address, cause, None)

    async def clear_in_flight(self, row: ReplicaRow) -> None:
        """Set the row's in-flight count to 0."""
        await self._ports.registry.clear_in_flight(row.id)

    async def _in_time(self, call: Coroutine[Any, Any, T]) -> T:
        """Return the worker's answer.

        Raises DeadlineExceeded after the time-out, because the worker of a paused node never answers.
        """
        return await self._ports.runtime.within(self._settings.worker_timeout_ns, call)

    def _abandoned_loads(self, fleet: Fleet) -> list[ReplicaRow]:
        before_ns = self._ports.runtime.wall_ns() - self._settings.stale_row_after_ns
        return abandoned_loads(fleet, before_ns, self._longest_load_ns)

    async def _still(self, find: Callable[[Fleet], list[ReplicaRow]]) -> list[ReplicaRow]:
        if self._last_read is None or not find(self._last_read):
            return []
        return find(await self._read())

    async def _read(self) -> Fleet:
        self._last_read = await self._ports.registry.fleet()
        return self._last_read
