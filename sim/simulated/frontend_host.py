"""One frontend as a process that can die: what runs in it, and what becomes of that when it goes."""

from collections.abc import Callable

from sim.routing.frontend import Frontend
from sim.routing.outcomes import Outcome
from sim.routing.ports import Journal
from sim.routing.request import Request
from sim.simulated.runtime import SimulatedRuntime, Task


class Crashed(Exception):
    """The frontend has gone. No CallError: nothing in it may handle this."""


class FrontendHost:
    """Runs a frontend, with its loops, and can lose it and start another in its place."""

    def __init__(self, runtime: SimulatedRuntime, journal: Journal, build: Callable[[], Frontend]) -> None:
        self._runtime = runtime
        self._journal = journal
        self._build = build
        self.frontend: Frontend | None = build()
        self._serving: dict[Task, Request] = {}
        self._loops: list[Task] = []

    def start_loops(self) -> None:
        """Start the frontend's background loops, once more if they run already."""
        if self.frontend is not None:
            self._loops += [self._runtime.spawn_background(loop(), "loop") for loop in self.frontend.loops]

    async def serve(self, request: Request) -> None:
        """Serve the request unless the frontend is down, or goes down meanwhile: then it fails."""
        if self.frontend is None:
            self._journal.ended(request, Outcome.FAILED, "frontend_down")
            return
        task = self._runtime.running_task()
        self._serving[task] = request
        try:
            await self.frontend.serve(request)
        except Crashed:
            self._journal.ended(request, Outcome.FAILED, "frontend_crashed")
        finally:
            del self._serving[task]

    def crash(self) -> None:
        """Lose the frontend: its caches, its loops, and every request in it."""
        self.frontend = None
        for task in self._loops:
            task.cancel()
        self._loops = []
        for task in list(self._serving):
            task.interrupt(Crashed("the frontend crashed"))

    def restart(self) -> None:
        """Start a frontend that knows nothing of the one before."""
        self.frontend = self._build()
        self.start_loops()
