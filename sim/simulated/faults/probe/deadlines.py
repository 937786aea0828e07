"""The deadline of a call, as seen from inside the call."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from sim.routing.ports import Runtime
from sim.simulated.kernel.interposed_runtime import InterposedRuntime
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.kernel.task import SimTask

T = TypeVar("T")


class DeadlineKeeper:
    """Knows the deadline of each task that has one."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self._runtime = runtime
        self._deadlines_ns: dict[SimTask, int] = {}

    def around(self, runtime: Runtime) -> Runtime:
        """Return a runtime that tells this keeper of each limit."""
        return _LimitsKnown(runtime, self)

    def deadline_ns(self) -> int | None:
        """Return the deadline of the running task; None if it has none."""
        return self._deadlines_ns.get(self._runtime.running)

    async def keep(self, deadline_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, which has until the deadline and must be all that its task does."""
        task = self._runtime.running
        self._deadlines_ns[task] = deadline_ns
        try:
            return await work
        finally:
            del self._deadlines_ns[task]


class _LimitsKnown(InterposedRuntime):
    def __init__(self, runtime: Runtime, keeper: DeadlineKeeper) -> None:
        super().__init__(runtime)
        self._keeper = keeper

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        return await super().within(limit_ns, self._keeper.keep(self.now_ns() + limit_ns, work))
