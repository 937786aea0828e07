"""A frontend process as the run that started it sees it."""

import asyncio
from contextlib import suppress
from multiprocessing import get_context
from typing import Any

from sim.live.cluster.frontend_process import FrontendOrder, FrontendReport
from sim.live.cluster.frontend_start import start_frontend
from sim.routing.policies.port import PolicyError

_KILL_AFTER_S = 2.0


class LiveRunFailed(RuntimeError):
    """A process of the run could not be started, or ended before it had reported."""


class FrontendHandle:
    """Starts a frontend process and talks to it over one pipe."""

    def __init__(self, order: FrontendOrder) -> None:
        # Spawned, not forked: gRPC and asyncio do not survive a fork.
        context = get_context("spawn")
        self._line, theirs = context.Pipe()
        self._index = order.index
        self._process = context.Process(target=start_frontend, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._tell(order)

    async def ready(self) -> None:
        """Wait until the process is ready for `begin_at`; raises PolicyError if its policy cannot be made."""
        await self._hear()

    def begin_at(self, epoch_ns: int) -> None:
        """Let its scenario time be 0 at that reading of the monotonic clock."""
        self._tell(epoch_ns)

    async def report(self) -> FrontendReport:
        """Wait until it has finished; raises PolicyError if its policy fails, LiveRunFailed if it ends otherwise."""
        report: FrontendReport = await self._hear()
        return report

    def stop(self) -> None:
        """End the process if it has not ended by itself."""
        self._process.terminate()
        self._process.join(_KILL_AFTER_S)
        self._process.kill()
        self._process.join()
        self._line.close()

    def _tell(self, what: object) -> None:
        # `_hear` raises if the process has ended.
        with suppress(ConnectionError):
            self._line.send(what)

    async def _hear(self) -> Any:
        loop = asyncio.get_running_loop()
        heard = asyncio.Event()
        loop.add_reader(self._line.fileno(), heard.set)
        try:
            await heard.wait()
        finally:
            loop.remove_reader(self._line.fileno())
        try:
            heard = self._line.recv()
        except (EOFError, ConnectionError) as error:
            raise LiveRunFailed(f"frontend {self._index} ended before it had reported") from error
        if isinstance(heard, PolicyError):
            raise heard
        return heard
