"""The pause of a frontend's process."""

from collections.abc import Awaitable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from sim.routing.errors import CallError
from sim.routing.ports import FrontendPorts, Runtime
from sim.routing.proxy import MadeCall
from sim.scenario.spec.faults.frontend import FrontendPauseFault
from sim.simulated.faults.base import Fault, effect_of
from sim.simulated.faults.interposed import InterposedDialer, interposed_registry, interposed_worker
from sim.simulated.kernel.interposed_runtime import InterposedRuntime

T = TypeVar("T")


@effect_of(FrontendPauseFault)
class FrontendPause(Fault[FrontendPauseFault]):
    """Freezes a frontend's process. Answers and timers that come during the pause reach it when the pause is over."""

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Return ports that stand still during the pause. A process that starts after its beginning is not paused."""
        spec = self.spec
        if frontend != spec.frontend or ports.runtime.now_ns() > spec.at_ns:
            return ports
        leak = self.parts.database.table.leak
        pause = _Pause(ports.runtime, spec.at_ns, spec.at_ns + spec.lasts_ns)
        return replace(
            ports,
            runtime=_LateRuntime(ports.runtime, pause),
            registry=interposed_registry(ports.runtime, ports.registry, lambda _name, call: pause.around(call), leak),
            dialer=InterposedDialer(ports.dialer, lambda _key, _address, _name, call: pause.around(call)),
            worker=interposed_worker(ports.worker, lambda _node, _name, call: pause.around(call)),
        )

    async def happen(self) -> None:
        await self.parts.runtime.sleep(self.spec.at_ns)
        self.struck(f"frontend {self.spec.frontend}")


class _Pause:
    """A time in which a process does nothing."""

    def __init__(self, runtime: Runtime, begins_ns: int, ends_ns: int) -> None:
        self._runtime = runtime
        self._begins_ns = begins_ns
        self._ends_ns = ends_ns

    def left_ns(self, at_ns: int) -> int:
        """Return how much of the pause is left at this time; 0 outside the pause."""
        return self._ends_ns - at_ns if self._begins_ns <= at_ns < self._ends_ns else 0

    def delay_ns(self, delay_ns: int) -> int:
        """Return the delay of a timer that is set now. A timer that is due during the pause goes off at its end."""
        return delay_ns + self.left_ns(self._runtime.now_ns() + delay_ns)

    async def around(self, call: MadeCall) -> Any:
        """Make the call and return its answer or raise its error. Both wait for the end of the pause."""
        await self._over()
        try:
            answer = await call()
        except CallError:
            await self._over()
            raise
        await self._over()
        return answer

    async def _over(self) -> None:
        left_ns = self.left_ns(self._runtime.now_ns())
        if left_ns:
            await self._runtime.sleep(left_ns)


class _LateRuntime(InterposedRuntime):
    """The runtime of a process whose timers a pause makes late."""

    def __init__(self, runtime: Runtime, pause: _Pause) -> None:
        super().__init__(runtime)
        self._pause = pause

    def sleep(self, delay_ns: int) -> Awaitable[None]:
        return super().sleep(self._pause.delay_ns(delay_ns))

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        return await super().within(self._pause.delay_ns(limit_ns), work)
