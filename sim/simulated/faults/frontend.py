"""Faults of family frontend: a router's process that dies, freezes, works twice or goes by other settings."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from sim.routing.errors import CallError
from sim.routing.ports import FrontendPorts, Runtime, Task
from sim.routing.proxy import MadeCall
from sim.routing.registry import Registry
from sim.routing.replica import ReplicaKey
from sim.scenario.spec.faults.frontend import (
    BackgroundDoubledFault,
    FrontendCrashFault,
    FrontendPauseFault,
    MixedPolicyFault,
)
from sim.simulated.faults.base import Fault, Luck
from sim.simulated.faults.interposed import InterposedDialer, interposed_registry, interposed_worker
from sim.simulated.kernel.awaitables import Cancelled
from sim.simulated.kernel.interposed_runtime import InterposedRuntime
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.stage import Stage

T = TypeVar("T")


class _FrontendCrash(Fault):
    """Ends a frontend's process, so that nothing of what it would have done afterwards happens."""

    def __init__(self, spec: FrontendCrashFault, _luck: Luck) -> None:
        self._spec = spec
        self._life = _Life()

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Return ports that do nothing any more once the process has died."""
        if frontend != self._spec.frontend:
            return ports
        life = self._life = _Life()
        return replace(
            ports,
            runtime=_MortalRuntime(ports.runtime, life),
            registry=_mortal_registry(ports.runtime, ports.registry, life),
            dialer=InterposedDialer(ports.dialer, lambda _key, _address, _name, call: life.lived(call)),
            worker=interposed_worker(ports.worker, lambda _node, _name, call: life.lived(call)),
        )

    async def happen(self, stage: Stage) -> None:
        """Crash, unless the frontend is down already; come back if that is to be."""
        spec, host = self._spec, stage.frontends[self._spec.frontend]
        await stage.runtime.sleep(spec.at_ns)
        if host.frontend is None:
            return
        stage.journal.fault_struck(spec.kind, f"frontend {spec.frontend}")
        self._life.end(stage.database.table)
        host.crash()
        if spec.restart_after_ns is not None:
            await stage.runtime.sleep(spec.restart_after_ns)
            host.restart()


class _Life:
    """Whether a process lives still, and the tasks that it would take along."""

    def __init__(self) -> None:
        self.is_over = False
        self._tasks: list[Task] = []
        self._table: ReplicaTable | None = None

    def begin(self, task: Task) -> Task:
        """Note that the process has another task."""
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(task)
        return task

    def end(self, table: ReplicaTable) -> None:
        """End it now, with all its tasks; what it still counts in the table stays there."""
        self.is_over = True
        self._table = table
        for task in self._tasks:
            task.cancel()

    async def lived(self, call: MadeCall) -> Any:
        """Return what a call returns that is made while the process lives; the dead make none."""
        if self.is_over:
            _stop()
        return await call()

    def keep(self, key: ReplicaKey, count: int) -> None:
        """Note that the dead process does not give these requests back."""
        if self._table is not None:
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


class _FrontendPause(Fault):
    """Freezes a frontend's process: what was answered and what was due meanwhile reaches it when it goes on."""

    def __init__(self, spec: FrontendPauseFault, _luck: Luck) -> None:
        self._spec = spec

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Return ports behind which nothing happens during the pause. A process that starts later has none."""
        spec = self._spec
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

    async def happen(self, stage: Stage) -> None:
        """Note when the pause begins."""
        await stage.runtime.sleep(self._spec.at_ns)
        stage.journal.fault_struck(self._spec.kind, f"frontend {self._spec.frontend}")


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


class _BackgroundDoubled(Fault):
    """Starts a frontend's loops a second time."""

    def __init__(self, spec: BackgroundDoubledFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Start them, unless the frontend is down."""
        host = stage.frontends[self._spec.frontend]
        await stage.runtime.sleep(self._spec.at_ns)
        if host.frontend is not None:
            stage.journal.fault_struck(self._spec.kind, f"frontend {self._spec.frontend}")
            host.start_loops()


class _MixedPolicy(Fault):
    """Tells that one frontend routes in its own way, as it has done since it was put together."""

    def __init__(self, spec: MixedPolicyFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Note that it does so from the beginning."""
        stage.journal.fault_struck(self._spec.kind, f"frontend {self._spec.frontend}")


FAULTS: Mapping[type[Any], Callable[[Any, Luck], Fault]] = {
    FrontendCrashFault: _FrontendCrash,
    FrontendPauseFault: _FrontendPause,
    BackgroundDoubledFault: _BackgroundDoubled,
    MixedPolicyFault: _MixedPolicy,
}
