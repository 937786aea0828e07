"""A backend's workers, and how it answers health calls while they are busy."""

from collections.abc import Callable, Mapping

from sim.scenario.spec.engines import HealthName
from sim.simulated.kernel.awaitables import SimFuture
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime


class Threads(FifoQueue):
    """Calls take a worker each, first come, first served, and so do health calls: a synchronous Python backend."""

    __slots__ = ()

    async def health(self) -> None:
        """Wait until a health call is answered: take a worker, and give it back at once."""
        await self.acquire()
        self.release()


class ThreadsBesideHealth(Threads):
    """Health calls need no worker: a Go backend, or llama.cpp."""

    __slots__ = ()

    async def health(self) -> None:
        """Return at once."""


class EventLoop(Threads):
    """One worker, the event loop of an asynchronous Python backend, which each call blocks to its end.

    The loop accepts what has been sent meanwhile only between two calls, one message in each turn. So one health call
    is answered at each end of a call, and all that wait when no call is left. A real gRPC server on asyncio answered
    them at that end or at the next one or two.
    """

    __slots__ = ("_asking",)

    def __init__(self, runtime: SimulatedRuntime, workers: int) -> None:
        super().__init__(runtime, workers)
        self._asking: dict[SimFuture, None] = {}
        """Health calls that wait, in the order they came."""

    async def health(self) -> None:
        """Wait for a turn of the loop; an idle one has it at once."""
        if self.is_free():
            return
        turn = self._runtime.future()
        self._asking[turn] = None
        try:
            await turn
        finally:
            self._asking.pop(turn, None)

    def release(self) -> None:
        """Answer a health call, or all if no call waits; then let the next call have the loop."""
        answered = list(self._asking)[:1] if self._waiting else list(self._asking)
        for turn in answered:
            del self._asking[turn]
            turn.set_result(None)
        super().release()


WORKERS: Mapping[HealthName, Callable[[SimulatedRuntime, int], Threads]] = {
    "serialized": Threads,
    "event_loop": EventLoop,
    "independent": ThreadsBesideHealth,
}
