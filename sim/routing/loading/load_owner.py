"""The owner of a load job: it loads the model, and tells all frontends through the job's row how far the load is."""

from contextlib import suppress

from sim.routing.errors import CallError
from sim.routing.fleet import LoadJob, LoadState
from sim.routing.loading.broadcast import Broadcast, Signal
from sim.routing.loading.load_path import LoadPath
from sim.routing.ports import FrontendPorts
from sim.routing.units import NS_PER_S

HEARTBEAT_NS = NS_PER_S
"""Between two heartbeats of an owner."""

FAILED_GRACE_NS = 15 * NS_PER_S
"""How long a failed job stays, so that requests fail with its cause rather than start the same load again."""


class LoadOwner:
    """Runs a job that this frontend has claimed: loads the model, and keeps the job's row up to date.

    Nobody else writes the row while its owner lives. One task writes it, one write after the other, so that a late
    heartbeat cannot hide a failure. If the registry does not answer, the load goes on, and the row becomes an orphan.
    """

    __slots__ = ("_broadcast", "_failure", "_job", "_load_path", "_over", "_ports", "_state")

    def __init__(self, ports: FrontendPorts, load_path: LoadPath, broadcast: Broadcast, job: LoadJob) -> None:
        self._ports = ports
        self._load_path = load_path
        self._broadcast = broadcast
        self._job = job
        self._state = job.state
        self._failure = ""
        self._over = Signal(ports.runtime)

    async def run(self) -> None:
        """Load the model; then delete the row and wake those who wait, or let the row show the failure for a while."""
        loading = self._ports.runtime.spawn(self._load(), f"load {self._job.model}")
        try:
            await self._beat()
        except BaseException:
            loading.cancel()
            raise
        if self._failure:
            await self._fail()
        else:
            await self.end()

    async def end(self) -> None:
        """Delete the row and wake those who wait here."""
        await self._delete_row()
        self._broadcast.close(self._job.model)

    async def _load(self) -> None:
        try:
            await self._load_path.load(self._job.model, in_flight=0, cause="cold_load", on_progress=self._note)
        except CallError as error:
            self._failure = f"{type(error).__name__}: {error}"
        finally:
            self._over.give()

    def _note(self, state: LoadState) -> None:
        self._state = state

    async def _beat(self) -> None:
        """Write a heartbeat every second as long as the row is ours; return when the load is over."""
        is_ours = True
        while is_ours and not await self._over.within(HEARTBEAT_NS):
            is_ours = await self._is_still_ours()
        # An owner that has lost the row, by a long silence, finishes its load all the same: any replica is useful.
        await self._over.wait()

    async def _is_still_ours(self) -> bool:
        try:
            return await self._ports.registry.beat_load(self._job.id, self._state)
        except CallError:
            return True

    async def _fail(self) -> None:
        with suppress(CallError):
            await self._ports.registry.beat_load(self._job.id, LoadState.FAILED, self._failure)
        self._broadcast.close(self._job.model)
        await self._ports.runtime.sleep(FAILED_GRACE_NS)
        await self._delete_row()

    async def _delete_row(self) -> None:
        with suppress(CallError):
            await self._ports.registry.end_load(self._job.id)
