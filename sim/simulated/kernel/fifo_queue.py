"""A first-come, first-served queue for a number of servers: a backend's worker slots, a row's lock, a named lock."""

from collections import OrderedDict
from collections.abc import Generator
from types import coroutine

from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.kernel.task import SimTask


class FifoQueue:
    """Hands out a limited number of places, first come, first served."""

    __slots__ = ("_free", "_places", "_runtime", "_waiting")

    def __init__(self, runtime: SimulatedRuntime, places: int) -> None:
        self._runtime = runtime
        self._places = places
        self._free = places
        # Each task waits at most once. Leaving is as quick as entering, however many wait.
        self._waiting: OrderedDict[SimTask, None] = OrderedDict()

    def is_free(self) -> bool:
        """Tell whether a place is free."""
        return self._free > 0

    def is_idle(self) -> bool:
        """Tell whether nobody holds or awaits a place."""
        return self._free == self._places and not self._waiting

    def take_if_free(self) -> bool:
        """Take a place if one is free; tell whether it was."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def acquire(self) -> None:
        """Take a place, as soon as one is free."""
        if not self.take_if_free():
            await self.wait()

    @coroutine
    def wait(self) -> Generator[None, None, None]:
        """Wait in the queue until a place is handed over. A cancelled waiter leaves the queue."""
        task: SimTask = self._runtime.running
        self._waiting[task] = None
        try:
            yield None
        except BaseException:
            if task in self._waiting:
                del self._waiting[task]
            else:
                # The place was handed over at the very instant its waiter left.
                self.release()
            raise

    def release(self) -> None:
        """Hand the place to the one who has waited longest, or free it."""
        if self._waiting:
            self._waiting.popitem(last=False)[0].wake_up()
        else:
            self._free += 1
