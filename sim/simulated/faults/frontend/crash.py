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
from sim.simulated.faults.interposed import InterposedDialer, interposed_registry, interposed_worker
from sim.simulated.kernel.awaitables import Cancelled
from sim.simulated.kernel.interposed_runtime import InterposedRuntime
from sim.simulated.parts import Parts
from sim.simulated.registry.replica_table import ReplicaTable

T = TypeVar("T")


@effect_of(FrontendCrashFault)
class FrontendCrash(Fault[FrontendCrashFault]):
    """Ends a frontend's process, so that nothing of what it would have done afterwards happens."""

    def __init__(self, spec: FrontendCrashFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._life = _Life(parts.database.table)

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Return ports that do nothing any more once the process has died."""
        if frontend != self.spec.frontend:
            return ports
        life = self._life = _Life(self.parts.database.table)
        return replace(
            ports,
            runtime=_MortalRuntime(ports.runtime, life),
            registry=_mortal_registry(ports.runtime, ports.registry, life),
            dialer=InterposedDialer(ports.dialer, lambda _key, _address, _name, call: life.lived(call)),
            worker=interposed_worker(ports.worker, lambda _node, _name, call: life.lived(call)),
        )

    async def happen(self) -> None:
        """Crash, unless the frontend is down already; come back if that is to be."""
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
    """Whether a process lives still, and the tasks that it would take along."""

    def __init__(self, table: ReplicaTable) -> None:
        """What the process counts in the table when it dies stays there."""
        self.is_over = False
        self._tasks: list[Task] = []
        self._table = table

    def begin(self, task: Task) -> Task:
        """Note that the process has another task."""
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(task)
        return task

    def end(self) -> None:
        """End it now, with all its tasks."""
        self.is_over = True
        for task in self._tasks:
            task.cancel()

    async def lived(self, call: MadeCall) -> Any:
        """Return what a call returns that is made while the process lives; the dead make none."""
        if self.is_over:
            _stop()
        return await call()

    def keep(self, key: ReplicaKey, count: int) -> None:
        """Note that the dead process does not give these requests back."""
        self._table.leak(key, count)


def _stop() -> NoReturn:
    raise Cancelled("the frontend has crashed")


class _MortalRuntime(InterposedRuntime):
    """Time and tasks of a process that can die."""

    def __init__(self, runtime: Runtime, life: _Life) -> None:
        super().__init__(runtime)
        self._life = life

    def sleep(self, delay_ns: int) -> Awaitable[None]:
        """Wait, if it lives."""
        return _stop() if self._life.is_over else super().sleep(delay_ns)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> Task:
        """Run the coroutine, if it lives, for as long as it does."""
        if self._life.is_over:
            work.close()
            return _Stillborn()
        return self._life.begin(super().spawn(work, name))

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, if it lives."""
        if self._life.is_over:
            work.close()
            _stop()
        return await super().within(limit_ns, work)


class _Stillborn:
    """A task that never runs."""

    def cancel(self) -> None:
        """Nothing is under way."""

    def done(self) -> bool:
        """Always: there is nothing to do."""
        return True


def _mortal_registry(runtime: Runtime, registry: Registry, life: _Life) -> Registry:
    """Return the registry as a process reaches it that can die, and with it what it owes."""

    def give_back(key: ReplicaKey, count: int) -> None:
        if life.is_over:
            life.keep(key, count)
        else:
            registry.give_back(key, count)

    return interposed_registry(runtime, registry, lambda _name, call: life.lived(call), give_back=give_back)
