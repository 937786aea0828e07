"""The world of a replay: a clock, tasks, a registry, backends and workers that follow a recording."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from sim.live.recording.lines import Line, Seen, Transcript
from sim.live.recording.script import Script
from sim.routing.errors import DeadlineExceeded
from sim.routing.fleet import Fleet, ReplicaRow
from sim.routing.policies.choose import Choose
from sim.routing.ports import Backend, FrontendPorts, Journal, Runtime, WorkerControl
from sim.routing.proxy import awaited_calls, calls_of
from sim.routing.registry import Registry
from sim.routing.replica import Replica, ReplicaKey
from sim.simulated.kernel.awaitables import Cancelled, SimFuture
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.kernel.task import SimTask

T = TypeVar("T")


class Gates:
    """The waits of replayed code, which end when the recording says so."""

    def __init__(self, runtime: SimulatedRuntime, script: Script, transcript: Transcript) -> None:
        self.script = script
        self._runtime = runtime
        self._transcript = transcript
        self._closed: dict[int, SimFuture] = {}
        self._choosing: dict[int, Callable[[Sequence[Replica]], object]] = {}

    @property
    def last_wait(self) -> int:
        """Number of the wait that has just begun."""
        return self._transcript.last_wait

    async def pass_one(self) -> Any:
        """Wait as long as the recorded wait lasted, and return or raise its result."""
        gate = self._closed[self.last_wait] = self._runtime.future()
        return await gate

    async def pass_one_choosing(self, choose: Choose) -> Any:
        """Wait likewise, and make the choices that the recorded pick asked for meanwhile."""
        # In the context of the request, because a line names its request.
        context = copy_context()
        self._choosing[self.last_wait] = lambda rows: context.run(lambda: choose(rows))
        return await self.pass_one()

    def choose(self, line: Line) -> None:
        """Let the waiting pick choose among the rows that the line lists."""
        wait = cast("int", line.wait)
        if wait in self._choosing:
            self._choosing[wait](self.script.choices[wait].popleft())

    def open(self, line: Line) -> None:
        """End the wait that the line belongs to."""
        wait = cast("int", line.wait)
        gate, answer = self._closed.pop(wait), self.script.answers.get(wait)
        if line.kind == "left":
            gate.set_exception(Cancelled("the recorded caller left"))
        elif isinstance(answer, Exception):
            gate.set_exception(answer)
        else:
            gate.set_result(answer)


class _ScriptedFuture:
    """An answer of the replayed code itself, which its waiter sees when the recording says so."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._is_done = False
        self._result: Any = None
        self._error: BaseException | None = None

    def done(self) -> bool:
        return self._is_done

    def set_result(self, result: Any, /) -> None:
        self._is_done, self._result = True, result

    def set_exception(self, error: BaseException, /) -> None:
        self._is_done, self._error = True, error

    def __await__(self) -> Generator[Any, Any, Any]:
        if not self._is_done:
            yield from self._wait().__await__()
        if not self._is_done:
            raise RuntimeError("the wait was over before there was an answer")
        if self._error is not None:
            raise self._error
        return self._result

    async def _wait(self) -> None:
        try:
            # The result is known here, but not when the waiter sees it.
            with suppress(Exception):
                await self._gates.pass_one()
        except BaseException:
            self._is_done = True
            raise


class ScriptedRuntime:
    """Tasks and time limits that follow the recording, on the simulated clock."""

    def __init__(self, runtime: SimulatedRuntime, gates: Gates) -> None:
        self.now_ns = runtime.now_ns
        self.wall_ns = runtime.wall_ns
        self._runtime = runtime
        self._gates = gates

    async def sleep(self, delay_ns: int) -> None:
        await self._gates.pass_one()

    def future(self) -> _ScriptedFuture:
        return _ScriptedFuture(self._gates)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> SimTask:
        """Run the coroutine as a task that begins at its recorded time."""
        return self._runtime.spawn(self._begun_as_recorded(work), name)

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns. Raise DeadlineExceeded if the recorded limit fired."""
        wait = self._gates.last_wait
        try:
            return await work
        except Cancelled as error:
            if wait not in self._gates.script.late:
                raise
            raise DeadlineExceeded(f"no answer within {limit_ns} ns") from error

    async def _begun_as_recorded(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            await self._gates.pass_one()
        finally:
            # Started even if the replay ends before, because Python warns of a coroutine that never starts.
            result = await work
        return result


def scripted_ports(runtime: Runtime, gates: Gates, journal: Journal) -> FrontendPorts:
    """Return the ports of a frontend whose registry, backends and workers answer as recorded."""
    return FrontendPorts(
        runtime=runtime,
        registry=_scripted(Registry, gates, **_registry_calls(_ScriptedRegistry(gates))),
        dialer=_ScriptedDialer(_scripted(Backend, gates)),
        worker=_scripted(WorkerControl, gates),
        journal=journal,
    )


def _scripted(protocol: type[Any], gates: Gates, **own: Callable[..., Any]) -> Any:
    """Return a port whose awaited calls answer as recorded, except its `own` ones."""

    def answer(*_args: Any, **_named: Any) -> Awaitable[Any]:
        return gates.pass_one()

    return SimpleNamespace(**{**dict.fromkeys(awaited_calls(protocol), answer), **own})


def _registry_calls(registry: "_ScriptedRegistry") -> dict[str, Callable[..., Any]]:
    return {name: getattr(registry, name) for name in calls_of(_ScriptedRegistry)}


class _ScriptedRegistry:
    """The registry's calls that do more than answer: choices are made again, and locks are held."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates

    async def pick(self, model: str, choose: Choose) -> Replica | None:
        """Choose among the rows that the recorded pick saw, as often as it had to."""
        if choose.order is None and self._gates.last_wait in self._gates.script.choices:
            answer: Replica | None = await self._gates.pass_one_choosing(choose)
            return answer
        seen: Seen | None = self._gates.script.seen.get(self._gates.last_wait)
        recorded: Replica | None = await self._gates.pass_one()
        rows = [] if seen is None else list(seen.rows)
        while (chosen := choose(rows)) is not None and seen is not None and chosen.id in seen.gone:
            rows.remove(chosen)
        if chosen is None or (seen is not None and seen.refused):
            return None
        # The row as it was when it was locked, which may be later than the choice.
        return recorded if recorded and chosen.id == recorded.id else chosen

    async def evict(self, choose: Callable[[Fleet], ReplicaRow | None]) -> ReplicaRow | None:
        """Choose among the rows that the recorded eviction saw."""
        seen: Fleet | None = self._gates.script.seen.get(self._gates.last_wait)
        await self._gates.pass_one()
        return None if seen is None else choose(seen)

    def give_back(self, key: ReplicaKey, count: int) -> None:
        """Do nothing: nobody waits, and later picks show the effect."""

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        """Hold the lock for its recorded time."""
        await self._gates.pass_one()
        try:
            yield
        finally:
            await self._gates.pass_one()

    @asynccontextmanager
    async def try_lock(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock for its recorded time, if it was free."""
        is_held = bool(await self._gates.pass_one())
        try:
            yield is_held
        finally:
            await self._gates.pass_one()


class _ScriptedDialer:
    """Returns one client for all addresses."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        return self._backend
