"""Ports that write what passes through them into a transcript. A live run and its replay use the same ones."""

from collections.abc import Awaitable, Coroutine, Generator, Mapping
from typing import Any, TypeVar

from sim.live.recording.lines import Transcript
from sim.live.recording.registry import recorded_registry
from sim.routing.errors import DeadlineExceeded
from sim.routing.frontend import FrontendCore, NewChooser, best_replica, build_frontend
from sim.routing.journal import FanOutJournal, JournalRelay
from sim.routing.ports import (
    Backend,
    Dialer,
    FrontendPorts,
    Future,
    Runtime,
    Task,
    WorkerControl,
)
from sim.routing.proxy import MadeCall, passing_through
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.settings import FrontendSettings, ModelConfig

T = TypeVar("T")


class RecordedFrontend:
    """A frontend whose inputs and decisions are recorded."""

    def __init__(self, frontend: FrontendCore, transcript: Transcript) -> None:
        self._frontend = frontend
        self._transcript = transcript

    async def serve(self, request: Request) -> None:
        self._transcript.arrived(request)
        try:
            await self._frontend.serve(request)
        except Exception as error:
            self._transcript.told("raised", type(error).__name__)
            raise


def build_recorded_frontend(
    transcript: Transcript,
    settings: FrontendSettings,
    ports: FrontendPorts,
    models: Mapping[str, ModelConfig],
    new_chooser: NewChooser = best_replica,
) -> RecordedFrontend:
    """Build a frontend as `build_frontend` does, with a transcript between it and its world."""
    recorded = FrontendPorts(
        runtime=RecordedRuntime(ports.runtime, transcript),
        registry=recorded_registry(ports.registry, transcript),
        dialer=RecordedDialer(ports.dialer, transcript),
        worker=passing_through(ports.worker, WorkerControl, transcript.call),
        journal=FanOutJournal([RecordedJournal(transcript), ports.journal]),
    )
    return RecordedFrontend(build_frontend(settings, recorded, models, new_chooser=new_chooser), transcript)


class RecordedFuture:
    """An answer whose waiter continues in a step of its own."""

    def __init__(self, future: Future[Any], transcript: Transcript) -> None:
        self._future = future
        self._transcript = transcript

    def done(self) -> bool:
        """Tell whether the answer was given, or its waiter has left."""
        return self._future.done()

    def set_result(self, result: Any, /) -> None:
        self._future.set_result(result)

    def set_exception(self, error: BaseException, /) -> None:
        self._future.set_exception(error)

    def __await__(self) -> Generator[Any, Any, Any]:
        """Wait for the answer. An answer that is there already is no wait."""
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
        async def sleep() -> None:
            await self._runtime.sleep(delay_ns)

        return self._transcript.call("sleep", (delay_ns,), sleep)

    def future(self) -> RecordedFuture:
        return RecordedFuture(self._runtime.future(), self._transcript)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> Task:
        wait = self._transcript.asked("spawn", name)

        async def started() -> Any:
            self._transcript.answered(wait, "spawn")
            return await work

        return self._runtime.spawn(started(), name)

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or cancel it after `limit_ns` and raise DeadlineExceeded."""
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
            # Otherwise the work itself has raised it, as a backend may.
            if was_left:
                self._transcript.late(wait)
            raise


class RecordedDialer:
    """Makes clients whose calls are recorded."""

    def __init__(self, dialer: Dialer, transcript: Transcript) -> None:
        self._dialer = dialer
        self._transcript = transcript

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        """Return a client for the process at the address."""

        def call(name: str, args: tuple[Any, ...], made: MadeCall) -> Awaitable[Any]:
            return self._transcript.call(name, (key, address, *args), made)

        return passing_through(self._dialer.dial(key, address), Backend, call)


class RecordedJournal(JournalRelay):
    """Writes down what the routing code tells; the rest of the journal is its world's to tell."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript

    def _tell(self, what: str, *args: Any) -> None:
        self._transcript.told(what, *args)
