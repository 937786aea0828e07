"""The crash of a frontend's process."""

from collections.abc import Awaitable, Coroutine
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from sim.routing.ports import FrontendPorts, Runtime, Task
from sim.routing.proxy import MadeCall
from sim.routing.registry import Registry
from sim.routing.replica import ReplicaKey
from sim.scenario.spec.faults.frontend import FrontendCrashFault
from sim.simulated.faults.base import Fault, Luck, effect_of
from sim.simulated.faults.interposed import InterposedDialer, Leak, interposed_registry, interposed_worker
from sim.simulated.kernel.awaitables import Cancelled
from sim.simulated.kernel.interposed_runtime import InterposedRuntime
from sim.simulated.parts import Parts

T = TypeVar("T")


@effect_of(FrontendCrashFault)
class FrontendCrash(Fault[FrontendCrashFault]):
    """Ends a frontend's process at once. Nothing that it would have done afterwards happens."""

    def __init__(self, spec: FrontendCrashFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._life = _Life()

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Return ports that do nothing once the process has died."""
        if frontend != self.spec.frontend:
            return ports
        life = self._life = _Life()
        return replace(
            ports,
            runtime=_MortalRuntime(ports.runtime, life),
            registry=_mortal_registry(ports.runtime, ports.registry, life, self.parts.database.table.leak),
            dialer=InterposedDialer(ports.dialer, lambda _key, _address, _name, call: life.lived(call)),
            worker=interposed_worker(ports.worker, lambda _node, _name, call: life.lived(call)),
        )

    async def happen(self) -> None:
        """Crash the frontend, unless it is already down, and restart it if the scenario says so."""
        spec, host = self.spec, self.parts.frontends[self.spec.frontend]
        await self.parts.runtime.sleep(spec.at_ns)
        if host.frontend is None:
            return
        self.struck(f"frontend {spec.frontend}")
        self._life.end()
        host.crash()
        if spec.restart_after_ns is not None:
            await self.parts.runtime.sleep(spec.restart_after_ns)
            host.restart()


class _Life:
    """Whether a process is alive, and the tasks that end with it."""

    def __init__(self) -> None:
        self.is_over = False
        self._tasks: list[Task] = []

    def begin(self, task: Task) -> Task:
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(task)
        return task

    def end(self) -> None:
        self.is_over = True
        for task in self._tasks:
            task.cancel()

    async def lived(self, call: MadeCall) -> Any:
        """Make the call if the process is alive; end the caller's task if it is dead."""
        if self.is_over:
            _stop()
        return await call()


def _stop() -> NoReturn:
    raise Cancelled("the frontend has crashed")


class _MortalRuntime(InterposedRuntime):
    """The runtime of a process that can die."""

    def __init__(self, runtime: Runtime, life: _Life) -> None:
        super().__init__(runtime)
        self._life = life

    def sleep(self, delay_ns: int) -> Awaitable[None]:
        return _stop() if self._life.is_over else super().sleep(delay_ns)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> Task:
        if self._life.is_over:
            work.close()
            return _Stillborn()
        return self._life.begin(super().spawn(work, name))

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        if self._life.is_over:
            work.close()
            _stop()
        return await super().within(limit_ns, work)


class _Stillborn:
    """A task that never runs."""

    def cancel(self) -> None:
        """Do nothing: it never started."""

    def done(self) -> bool:
        return True


def _mortal_registry(runtime: Runtime, registry: Registry, life: _Life, leak: Leak) -> Registry:
    """Return the registry for a process that can die: a dead one keeps what it should have given back."""

    def give_back(key: ReplicaKey, count: int) -> None:
        if life.is_over:
            leak(key, count)
        else:
            registry.give_back(key, count)

    return interposed_registry(runtime, registry, lambda _name, call: life.lived(call), leak, give_back=give_back)
