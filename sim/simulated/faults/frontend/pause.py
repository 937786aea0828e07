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
    """Freezes a frontend's process: what was answered and what was due meanwhile reaches it when it goes on."""

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Return ports behind which nothing happens during the pause. A process that starts later has none."""
        spec = self.spec
        if frontend != spec.frontend or ports.runtime.now_ns() > spec.at_ns:
            return ports
        pause = _Pause(ports.runtime, spec.at_ns, spec.at_ns + spec.lasts_ns)
        return replace(
            ports,
            runtime=_LateRuntime(ports.runtime, pause),
            registry=interposed_registry(ports.runtime, ports.registry, lambda _name, call: pause.around(call)),
            dialer=InterposedDialer(ports.dialer, lambda _key, _address, _name, call: pause.around(call)),
            worker=interposed_worker(ports.worker, lambda _node, _name, call: pause.around(call)),
        )

    async def happen(self) -> None:
        """Note when the pause begins."""
        await self.parts.runtime.sleep(self.spec.at_ns)
        self.struck(f"frontend {self.spec.frontend}")


class _Pause:
    """A time in which a process does nothing."""

    def __init__(self, runtime: Runtime, begins_ns: int, ends_ns: int) -> None:
        self._runtime = runtime
        self._begins_ns = begins_ns
        self._ends_ns = ends_ns

    def left_ns(self, at_ns: int) -> int:
        """Return how much of the pause is still to come at that time; 0 outside it."""
        return self._ends_ns - at_ns if self._begins_ns <= at_ns < self._ends_ns else 0

    def delay_ns(self, delay_ns: int) -> int:
        """Return how long a timer takes that is set now: one that is due in the pause goes off at its end."""
        return delay_ns + self.left_ns(self._runtime.now_ns() + delay_ns)

    async def around(self, call: MadeCall) -> Any:
        """Make the call, and return its answer or raise its error, neither of them in the pause."""
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
    """Time and tasks of a process whose timers a pause makes late."""

    def __init__(self, runtime: Runtime, pause: _Pause) -> None:
        super().__init__(runtime)
        self._pause = pause

    def sleep(self, delay_ns: int) -> Awaitable[None]:
        """Wait, and through the pause if that comes in between."""
        return super().sleep(self._pause.delay_ns(delay_ns))

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or cancel it and raise DeadlineExceeded, not before the pause is over."""
        return await super().within(self._pause.delay_ns(limit_ns), work)
