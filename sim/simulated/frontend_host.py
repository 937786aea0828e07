"""One frontend as a process that can crash: what runs in it, and how that ends."""

from collections.abc import Callable

from sim.routing.frontend import FrontendCore
from sim.routing.outcomes import Outcome
from sim.routing.ports import Journal
from sim.routing.request import Request
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.kernel.task import SimTask


class Crashed(Exception):
    """The frontend has crashed. No CallError: nothing in it may handle this."""


class ClientLeft(Exception):
    """The client has left. No CallError: nothing in the frontend may handle this."""


class FrontendHost:
    """Runs a frontend with its loops, and can crash and restart it."""

    def __init__(
        self, runtime: SimulatedRuntime, journal: Journal, build: Callable[[], FrontendCore], refused_after_ns: int
    ) -> None:
        """A connection to the frontend while it is down is refused after this time."""
        self._runtime = runtime
        self._journal = journal
        self._build = build
        self._refused_after_ns = refused_after_ns
        self.frontend: FrontendCore | None = build()
        self._serving: dict[int, SimTask] = {}
        """Running requests by their number."""
        self._loops: list[SimTask] = []

    def start_loops(self) -> None:
        """Start the frontend's background loops, a second time if they run already."""
        if self.frontend is not None:
            self._loops += [self._runtime.spawn_background(loop(), "loop") for loop in self.frontend.loops]

    async def serve(self, request: Request) -> None:
        """Serve the request, unless the frontend is down or crashes or the client leaves."""
        if self.frontend is None:
            await self._runtime.sleep(self._refused_after_ns)
            self._journal.ended(request, Outcome.FAILED, "frontend_down")
            return
        self._serving[request.id] = self._runtime.running
        try:
            await self.frontend.serve(request)
        except Crashed:
            self._journal.ended(request, Outcome.FAILED, "frontend_crashed")
        except ClientLeft:
            self._journal.ended(request, Outcome.CANCELLED, "client_left")
        finally:
            del self._serving[request.id]

    def leave(self, request: Request) -> bool:
        """Make the client of the request leave at once; False if the request is no longer being served."""
        task = self._serving.get(request.id)
        if task is None:
            return False
        task.interrupt(ClientLeft(f"the client of request {request.id} left"))
        return True

    def crash(self) -> None:
        """Crash the frontend: its caches, loops and requests are lost."""
        self.frontend = None
        for task in self._loops:
            task.cancel()
        self._loops = []
        for task in list(self._serving.values()):
            task.interrupt(Crashed("the frontend crashed"))

    def restart(self) -> None:
        """Start a new frontend with empty caches."""
        self.frontend = self._build()
        self.start_loops()
