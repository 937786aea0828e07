"""Ports that write into a transcript all that passes through them; a live run and its replay use the same ones."""

from collections.abc import Awaitable, Coroutine, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeVar

from sim.live.journal_log import JournalLog
from sim.live.recording.lines import Seen, Transcript
from sim.routing.errors import DeadlineExceeded
from sim.routing.frontend import Frontend, FrontendSettings, build_frontend
from sim.routing.ports import Backend, Clock, Dialer, Future, Journal, NodeView, Registry, Runtime, Task, WorkerControl
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request

T = TypeVar("T")

seen_by_pick: ContextVar[list[Seen] | None] = ContextVar("where a pick puts what it chose among", default=None)


class RecordedFrontend:
    """A frontend whose inputs and decisions are written down."""

    def __init__(self, frontend: Frontend, transcript: Transcript) -> None:
        self._frontend = frontend
        self._transcript = transcript

    async def serve(self, request: Request) -> None:
        """Serve the request as the frontend does."""
        self._transcript.arrived(request)
        try:
            await self._frontend.serve(request)
        except Exception as error:
            self._transcript.told("raised", type(error).__name__)
            raise


def build_recorded_frontend(
    transcript: Transcript,
    settings: FrontendSettings,
    runtime: Runtime,
    registry: Registry,
    dialer: Dialer,
    worker: WorkerControl,
    journal: Journal,
    needed_vram_bytes: Mapping[str, int],
) -> RecordedFrontend:
    """Put a frontend together as `build_frontend` does, with a transcript between it and its world."""
    frontend = build_frontend(
        settings=settings,
        runtime=RecordedRuntime(runtime, transcript),
        registry=RecordedRegistry(registry, transcript),
        dialer=RecordedDialer(dialer, transcript),
        worker=RecordedWorker(worker, transcript),
        journal=RecordedJournal(journal, runtime, transcript),
        needed_vram_bytes=needed_vram_bytes,
    )
    return RecordedFrontend(frontend, transcript)


class RecordedFuture:
    """An answer whose waiter goes on in a step of its own."""

    def __init__(self, future: Future[Any], transcript: Transcript) -> None:
        self._future = future
        self._transcript = transcript

    def done(self) -> bool:
        """Tell whether the answer was given, or its waiter has gone."""
        return self._future.done()

    def set_result(self, result: Any, /) -> None:
        """Give the answer."""
        self._future.set_result(result)

    def set_exception(self, error: BaseException, /) -> None:
        """Give an error."""
        self._future.set_exception(error)

    def __await__(self) -> Generator[Any, Any, Any]:
        """Wait for the answer; one that is there already is no wait."""
        if self._future.done():
            return (yield from self._future.__await__())
        wait = self._transcript.asked("future")
        try:
            answer = yield from self._future.__await__()
        except BaseException as error:
            self._transcript.ended_badly(wait, error)
            raise
        self._transcript.answered(wait, "future")
        return answer


class RecordedRuntime:
    """Time that stands still during a step, and tasks whose beginnings are steps."""

    def __init__(self, runtime: Runtime, transcript: Transcript) -> None:
        self._runtime = runtime
        self._transcript = transcript

    def now_ns(self) -> int:
        """Return the time at which the present step began."""
        return self._transcript.t_ns

    wall_ns = now_ns

    def sleep(self, delay_ns: int) -> Awaitable[None]:
        """Wait."""

        async def sleep() -> None:
            await self._runtime.sleep(delay_ns)

        return self._transcript.call("sleep", (delay_ns,), sleep)

    def future(self) -> RecordedFuture:
        """Make an answer that is not given yet."""
        return RecordedFuture(self._runtime.future(), self._transcript)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> Task:
        """Run the coroutine as a task of its own."""
        wait = self._transcript.asked("spawn", name)

        async def started() -> Any:
            self._transcript.answered(wait, "spawn")
            return await work

        return self._runtime.spawn(started(), name)

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or have it leave after `limit_ns` and raise DeadlineExceeded."""
        wait = self._transcript.asked("within", limit_ns)
        was_left = False

        async def watched() -> T:
            nonlocal was_left
            try:
                return await work
            except Exception:
                raise
            except BaseException:
                was_left = True
                raise

        try:
            return await self._runtime.within(limit_ns, watched())
        except DeadlineExceeded:
            # Else the work itself has raised it, as a backend may.
            if was_left:
                self._transcript.late(wait)
            raise


class RecordedRegistry:
    """A registry whose answers are written down, and what its picks chose among."""

    def __init__(self, registry: Registry, transcript: Transcript) -> None:
        self._registry = registry
        self._transcript = transcript

    async def pick(self, model: str) -> Replica | None:
        """Choose a row."""
        wait = self._transcript.asked("pick", model)
        seen: list[Seen] = []
        seen_by_pick.set(seen)
        try:
            replica = await self._registry.pick(model)
        except BaseException as error:
            self._transcript.ended_badly(wait, error)
            raise
        if seen:
            self._transcript.saw(wait, seen[-1])
        self._transcript.answered(wait, "pick", replica)
        return replica

    async def increment(self, key: ReplicaKey) -> bool:
        """Count a call on the row."""
        return await self._transcript.call("increment", (key,), lambda: self._registry.increment(key))

    def give_back(self, key: ReplicaKey, count: int) -> None:
        """Take from the row's count; nobody waits."""
        self._transcript.sent("give_back", key, count)
        self._registry.give_back(key, count)

    async def touch(self, key: ReplicaKey) -> None:
        """Touch the row."""
        await self._transcript.call("touch", (key,), lambda: self._registry.touch(key))

    async def publish(self, key: ReplicaKey, address: str, in_flight: int) -> None:
        """Write the row."""
        args = (key, address, in_flight)
        await self._transcript.call("publish", args, lambda: self._registry.publish(*args))

    async def remove(self, key: ReplicaKey) -> bool:
        """Delete the row."""
        return await self._transcript.call("remove", (key,), lambda: self._registry.remove(key))

    async def nodes(self, model: str) -> Sequence[NodeView]:
        """List the nodes."""
        return await self._transcript.call("nodes", (model,), lambda: self._registry.nodes(model))

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold the lock of that name."""
        return _RecordedLock(self._registry.lock(name), name, self._transcript)


class _RecordedLock(AbstractAsyncContextManager[None]):
    def __init__(self, lock: AbstractAsyncContextManager[None], name: str, transcript: Transcript) -> None:
        self._lock = lock
        self._name = name
        self._transcript = transcript

    async def __aenter__(self) -> None:
        await self._transcript.call("lock", (self._name,), self._lock.__aenter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async def unlock() -> None:
            await self._lock.__aexit__(kind, error, trace)

        await self._transcript.call("unlock", (self._name,), unlock)


class RecordedDialer:
    """Makes clients whose calls are written down."""

    def __init__(self, dialer: Dialer, transcript: Transcript) -> None:
        self._dialer = dialer
        self._transcript = transcript

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        """Return a client for the process at the address."""
        return RecordedBackend(self._dialer.dial(key, address), (key, address), self._transcript)


class RecordedBackend:
    """A client whose calls are written down."""

    def __init__(self, backend: Backend, place: tuple[ReplicaKey, str], transcript: Transcript) -> None:
        self._backend = backend
        self._place = place
        self._transcript = transcript

    async def health(self) -> None:
        """Ask whether the process is well."""
        await self._transcript.call("health", self._place, self._backend.health)

    async def predict(self, request: Request) -> None:
        """Have the request served."""
        await self._transcript.call("predict", (*self._place, request), lambda: self._backend.predict(request))

    async def load_model(self, model: str) -> None:
        """Have the model loaded."""
        await self._transcript.call("load_model", (*self._place, model), lambda: self._backend.load_model(model))


class RecordedWorker:
    """Installs, written down."""

    def __init__(self, worker: WorkerControl, transcript: Transcript) -> None:
        self._worker = worker
        self._transcript = transcript

    async def install(self, key: ReplicaKey) -> str:
        """Have the replica's process started."""
        return await self._transcript.call("install", (key,), lambda: self._worker.install(key))


class RecordedJournal(JournalLog):
    """What the routing code tells, written down and passed on; the rest of the journal is its world's to tell."""

    def __init__(self, journal: Journal, clock: Clock, transcript: Transcript) -> None:
        super().__init__(clock)
        self._journal = journal
        self._transcript = transcript

    def _keep(self, what: str, *args: Any) -> None:
        self._transcript.told(what, *args)
        getattr(self._journal, what)(*args)
