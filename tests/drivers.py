"""The two drivers that a test of shared routing code runs under: the simulated runtime and asyncio."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Protocol

from sim.live.runtime import AsyncioRuntime
from sim.routing.ports import Runtime
from sim.simulated.kernel.awaitables import Cancelled
from sim.simulated.kernel.runtime import SimulatedRuntime

MS = 1_000_000
SECOND = 1_000 * MS
FAR_NS = 10**18

Story = Callable[[Runtime], Coroutine[Any, Any, Any]]


class Driver(Protocol):
    """Runs a story to its end and returns what it returns."""

    cancellation: type[BaseException]
    """What is raised where a cancelled task waits."""

    def run(self, story: Story) -> Any:
        """Run the story on a fresh runtime."""


class SimulatedDriver:
    """No time passes but the simulated one."""

    cancellation: type[BaseException] = Cancelled

    def run(self, story: Story) -> Any:
        """Run the story on SimPy."""
        runtime = SimulatedRuntime()
        told: list[Any] = []

        async def tell() -> None:
            told.append(await story(runtime))

        def run() -> None:
            runtime.spawn(tell(), "story")
            runtime.run_tasks(FAR_NS)

        # An empty context, as a run has it: nothing that a task sets in it may reach another task.
        Context().run(run)
        return told[0]


class LeapingSelector(selectors.DefaultSelector):
    """Lets the time of a loop leap to its next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready at once. Raises RuntimeError if nothing would ever be: the story stands still."""
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("the story waits for something that never comes")
        self.now_s += max(0.0, timeout)
        return []


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop of asyncio's own make on which no test depends on how fast the machine is."""

    def __init__(self) -> None:
        self._leaping = LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Return the time that has passed by leaps, in seconds."""
        return self._leaping.now_s


class LeapingRuntime(AsyncioRuntime):
    """The runtime of the live world, by the loop's time."""

    def now_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * SECOND)

    wall_ns = now_ns


class AsyncioDriver:
    """Real tasks of asyncio, whose time leaps from one timer to the next."""

    cancellation: type[BaseException] = asyncio.CancelledError

    def run(self, story: Story) -> Any:
        """Run the story on asyncio."""

        async def tell() -> Any:
            return await story(LeapingRuntime())

        with asyncio.Runner(loop_factory=LeapingLoop) as runner:
            return runner.run(tell())


DRIVERS: dict[str, Driver] = {"simulated": SimulatedDriver(), "asyncio": AsyncioDriver()}


async def all_of(runtime: Runtime, works: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Run the coroutines side by side and return what each returned or raised, in order."""
    outcomes: list[Any] = [None] * len(works)
    left = len(works)
    finished = runtime.future()

    async def keep(place: int, work: Coroutine[Any, Any, Any]) -> None:
        nonlocal left
        try:
            outcomes[place] = await work
        except BaseException as error:
            outcomes[place] = error
        left -= 1
        if not left:
            finished.set_result(None)

    for place, work in enumerate(works):
        runtime.spawn(keep(place, work), f"work {place}")
    if works:
        await finished
    return outcomes
