"""The world of a replay: a clock, tasks, a registry, backends and workers that do what a recording says."""

from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar, cast

from sim.live.recording.lines import Line, Seen, Transcript
from sim.live.recording.script import Script
from sim.live.registry.choice import Choice
from sim.routing.errors import DeadlineExceeded
from sim.routing.fleet import Cooldown, Fleet, NodeFacts, NodeReport, ReplicaRow
from sim.routing.load_jobs import LoadJob, LoadState
from sim.routing.ports import Backend, RunningProcess
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from sim.routing.states import NodeStatus, RowState
from sim.simulated.kernel.awaitables import Cancelled, SimFuture
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.kernel.task import Task

T = TypeVar("T")


class Gates:
    """Where replayed code waits until the recording says that it went on."""

    def __init__(self, runtime: SimulatedRuntime, script: Script, transcript: Transcript) -> None:
        self.script = script
        self._runtime = runtime
        self._transcript = transcript
        self._closed: dict[int, SimFuture] = {}

    @property
    def last_wait(self) -> int:
        """The number of the wait that has just begun."""
        return self._transcript.last_wait

    async def pass_one(self) -> Any:
        """Wait as long as the wait that has just begun lasted; return or raise what it ended with."""
        gate = self._closed[self.last_wait] = self._runtime.future()
        return await gate

    def open(self, line: Line) -> None:
        """Let go on who waits for what the line tells."""
        wait = cast("int", line.wait)
        gate, answer = self._closed.pop(wait), self.script.answers.get(wait)
        if line.kind == "left":
            gate.set_exception(Cancelled("the recorded caller left"))
        elif isinstance(answer, Exception):
            gate.set_exception(answer)
        else:
            gate.set_result(answer)


class _ScriptedFuture:
    """An answer given by the replayed code itself, seen by its waiter when the recording says so."""

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
            # How it ended is known here; only when is not.
            with suppress(Exception):
                await self._gates.pass_one()
        except BaseException:
            self._is_done = True
            raise


class ScriptedRuntime:
    """Tasks and time limits that go as recorded, on the simulated clock."""

    def __init__(self, runtime: SimulatedRuntime, gates: Gates) -> None:
        self.now_ns = runtime.now_ns
        self.wall_ns = runtime.wall_ns
        self._runtime = runtime
        self._gates = gates

    async def sleep(self, delay_ns: int) -> None:
        """Wait as long as was recorded."""
        await self._gates.pass_one()

    def future(self) -> _ScriptedFuture:
        """Make an answer that is not given yet."""
        return _ScriptedFuture(self._gates)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> Task:
        """Run the coroutine as a task that begins when it began."""
        return self._runtime.spawn(self._begun_as_recorded(work), name)

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns; raise DeadlineExceeded if it left because the recorded limit fired."""
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
            # Begun even where the replay ends before: Python complains of a coroutine that never was.
            result = await work
        return result


class ScriptedWorld:
    """Registry, backends and workers whose answers are those of the recording."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates

    async def pick(
        self, model: str, candidates: Collection[str] = (), preferred: ReplicaKey | None = None
    ) -> Replica | None:
        """Choose among the rows that the recorded pick saw."""
        seen: Seen | None = self._gates.script.seen.get(self._gates.last_wait)
        recorded: Replica | None = await self._gates.pass_one()
        rows = [] if seen is None or seen.refused else [row for row in seen.rows if row.id not in seen.gone]
        chosen = Choice(model, candidates, preferred).best(rows)
        # The row as it was once it could be locked, which may be later than the choice.
        return recorded if chosen and recorded and chosen.id == recorded.id else chosen

    async def increment(self, key: ReplicaKey) -> bool:
        """Answer as recorded."""
        return bool(await self._gates.pass_one())

    def give_back(self, key: ReplicaKey, count: int) -> None:
        """Do nothing: nobody waits, and later picks show what came of it."""

    async def touch(self, key: ReplicaKey) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def publish(
        self, key: ReplicaKey, address: str, in_flight: int, state: RowState = RowState.LOADED, revision: str = ""
    ) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def remove(self, key: ReplicaKey) -> bool:
        """Answer as recorded."""
        return bool(await self._gates.pass_one())

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        """Hold the lock when it was held."""
        await self._gates.pass_one()
        try:
            yield
        finally:
            await self._gates.pass_one()

    @asynccontextmanager
    async def try_lock(self, name: str) -> AsyncIterator[bool]:
        """Hold the lock when it was held, if it was."""
        is_held = bool(await self._gates.pass_one())
        try:
            yield is_held
        finally:
            await self._gates.pass_one()

    async def fleet(self) -> Fleet:
        """Show the fleet as recorded, for the code to decide anew."""
        fleet: Fleet = await self._gates.pass_one()
        return fleet

    async def register_node(self, facts: NodeFacts) -> Sequence[ReplicaRow]:
        """Answer as recorded."""
        return await self._rows()

    async def heartbeat(self, node: str, report: NodeReport) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def set_status(self, node: str, status: NodeStatus) -> Sequence[ReplicaRow]:
        """Answer as recorded."""
        return await self._rows()

    async def remove_row(self, row_id: str) -> bool:
        """Answer as recorded."""
        return bool(await self._gates.pass_one())

    async def remove_idle_row(self, row_id: str, unused_since_ns: int) -> bool:
        """Answer as recorded."""
        return bool(await self._gates.pass_one())

    async def confirm_row(self, row_id: str) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def clear_in_flight(self, row_id: str) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def evict(self, choose: Callable[[Fleet], ReplicaRow | None]) -> ReplicaRow | None:
        """Choose among the rows that the recorded eviction saw."""
        seen: Fleet | None = self._gates.script.seen.get(self._gates.last_wait)
        await self._gates.pass_one()
        return None if seen is None else choose(seen)

    async def reserve_vram(self, node: str, size_bytes: int) -> bool:
        """Answer as recorded."""
        return bool(await self._gates.pass_one())

    async def release_vram(self, node: str, size_bytes: int) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def set_cooldown(self, model: str, cooldown: Cooldown) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def advance_revision(self, model: str, revision: str) -> Sequence[ReplicaRow]:
        """Answer as recorded."""
        return await self._rows()

    async def claim_pass(self, name: str, interval_ns: int) -> bool:
        """Answer as recorded."""
        return bool(await self._gates.pass_one())

    async def load_job(self, model: str) -> LoadJob | None:
        """Answer as recorded."""
        return await self._job()

    async def start_load(self, model: str) -> LoadJob | None:
        """Answer as recorded."""
        return await self._job()

    async def beat_load(self, job_id: str, state: LoadState, cause: str = "") -> bool:
        """Answer as recorded."""
        return bool(await self._gates.pass_one())

    async def end_load(self, job_id: str) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def install(self, key: ReplicaKey) -> str:
        """Answer as recorded."""
        return str(await self._gates.pass_one())

    async def stop(self, key: ReplicaKey) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def unload(self, node: str, model: str) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def processes(self, node: str) -> Sequence[RunningProcess]:
        """List the processes as recorded."""
        listed: Sequence[RunningProcess] = await self._gates.pass_one()
        return listed

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        """Return the client of all addresses."""
        return self

    async def health(self) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def predict(self, request: Request) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def load_model(self, model: str) -> None:
        """Wait as recorded."""
        await self._gates.pass_one()

    async def _rows(self) -> Sequence[ReplicaRow]:
        rows: Sequence[ReplicaRow] = await self._gates.pass_one()
        return rows

    async def _job(self) -> LoadJob | None:
        job: LoadJob | None = await self._gates.pass_one()
        return job
