"""The routing code's runtime on SimPy: an integer-nanosecond clock, its own step loop, and tasks.

SimPy gives the event heap and the events. A task here steps its coroutine straight from the callback of the event it
waits for, starts at once and makes no end event unless somebody waits for it, which halves the cost of SimPy's own
Process; a failure inside a task goes to a sink and stops the loop, where SimPy would rebuild the exception or let a
waiting parent swallow it.
"""

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar, cast

import simpy
from simpy.events import NORMAL

from sim.routing.errors import DeadlineExceeded

T = TypeVar("T")
Ticket = Callable[[], int]
"""Gives each scheduled event its place among those of the same instant; no two tickets are equal."""


class Cancelled(BaseException):
    """Raised where a cancelled task waits. Not an Exception, so that no handler of errors takes it for one."""


class Environment(simpy.Environment):
    """SimPy's environment on whole nanoseconds."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__(initial_time=0)
        self._ticket = ticket

    def schedule(self, event: simpy.Event, priority: Any = NORMAL, delay: float = 0) -> None:
        """Put the event on the heap; refuses any delay but a whole number of nanoseconds from 0 up.

        SimPy's own check lets NaN pass, after which events run in any order.
        """
        if type(delay) is not int or delay < 0:
            raise ValueError(f"a delay is a whole number of nanoseconds, not {delay!r}")
        heappush(self._queue, (self._now + delay, priority, self._ticket(), event))


class Timer(simpy.Event):
    """An event that happens after a delay; the quickest thing to await."""

    def __init__(self, env: Environment, delay_ns: int) -> None:
        self.env = env
        self.callbacks = []
        self._ok = True
        self._value = None
        env.schedule(self, NORMAL, delay_ns)

    def __await__(self) -> Generator[simpy.Event, Any, None]:
        """Wait until it has happened."""
        if not self.processed:
            yield self


class Answer(simpy.Event):
    """A future: a SimPy event that is triggered with the answer."""

    def done(self) -> bool:
        """Tell whether the answer was given."""
        return self.triggered

    def set_result(self, result: Any, /) -> None:
        """Give the answer; waiters run later, at this same instant."""
        self.succeed(result)

    def set_exception(self, error: BaseException, /) -> None:
        """Give an error."""
        self._ok = False
        self._value = error
        self.env.schedule(self)

    def __await__(self) -> Generator[simpy.Event, Any, Any]:
        """Wait for the answer."""
        if not self.processed:
            return (yield self)
        if not self._ok:
            raise cast("BaseException", self._value)
        return self._value


class Task:
    """A coroutine stepped from the callbacks of the events it waits for."""

    __slots__ = (
        "_context",
        "_error",
        "_finished",
        "_on_end",
        "_result",
        "_runtime",
        "_waits_for",
        "name",
        "work",
    )

    def __init__(self, runtime: "SimulatedRuntime", work: Coroutine[Any, Any, Any], name: str) -> None:
        self._runtime = runtime
        self.work = work
        self.name = name
        self._context: Context = copy_context()
        self._waits_for: simpy.Event | None = None
        self._finished = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._on_end: Answer | None = None

    def done(self) -> bool:
        """Tell whether the coroutine has ended."""
        return self._finished

    def cancel(self) -> None:
        """Raise Cancelled in the coroutine, later at this same instant, unless it has ended by then."""
        if not self._finished:
            kick = Timer(self._runtime.environment, 0)
            cast("list[Any]", kick.callbacks).append(self._break_off)

    def result(self) -> Any:
        """Return what the coroutine returned, or raise what it raised; only once it is done."""
        if self._error is not None:
            raise self._error
        return self._result

    def when_done(self) -> Answer:
        """Return an event that happens when the coroutine ends; its error, if any, is then the asker's to raise."""
        self._on_end = Answer(self._runtime.environment)
        return self._on_end

    def step(self, advance: Callable[[Any], simpy.Event], value: Any) -> None:
        """Run the coroutine to its next wait."""
        try:
            event = self._context.run(advance, value)
        except StopIteration as stop:
            self.end(stop.value, None)
        except BaseException as error:
            self.end(None, error)
        else:
            self._waits_for = event
            cast("list[Any]", event.callbacks).append(self._resume)

    def _resume(self, event: simpy.Event) -> None:
        if event._ok:
            self.step(self.work.send, event._value)
        else:
            self.step(self.work.throw, event._value)

    def _break_off(self, _kick: simpy.Event) -> None:
        if self._finished:
            return
        waits_for = cast("simpy.Event", self._waits_for)
        if waits_for.callbacks is not None:
            waits_for.callbacks.remove(self._resume)
        self.step(self.work.throw, Cancelled(f"{self.name} was cancelled"))

    def end(self, result: Any, error: BaseException | None) -> None:
        """Note how the coroutine ended."""
        self._finished = True
        self._result = result
        self._error = error
        self._waits_for = None
        self._runtime.forget(self)
        if self._on_end is not None:
            self._on_end.set_result(None)
        if error is not None and (self._on_end is None or not isinstance(error, Exception)):
            self._runtime.report(error)


class SimulatedRuntime:
    """Clock and tasks of a simulated run.

    A task that fails while nobody waits for it stops the run, and the failure is raised from `run`.
    """

    def __init__(self, ticket: Ticket | None = None) -> None:
        self.environment = Environment(ticket or count().__next__)
        self._live: dict[Task, None] = {}
        self._is_over = False
        self._failures: list[BaseException] = []

    def now_ns(self) -> int:
        """Return the nanoseconds since the start of the run."""
        return cast("int", self.environment._now)

    wall_ns = now_ns

    def sleep(self, delay_ns: int) -> Timer:
        """Return what to await for the delay to pass."""
        return Timer(self.environment, delay_ns)

    def future(self) -> Answer:
        """Make an answer that is not given yet."""
        return Answer(self.environment)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> Task:
        """Start the coroutine at once: it runs to its first wait before this returns."""
        task = Task(self, work, name)
        self._live[task] = None
        if self._is_over:
            _close(work)
            task.end(None, None)
        else:
            task.step(work.send, None)
        return task

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or cancel it and raise DeadlineExceeded.

        An answer that comes at the very instant of the limit is too late: the limit was scheduled first.
        """
        limit = self.sleep(limit_ns)
        task = self.spawn(work, "within")
        if not task.done() and await self._is_late(task, limit):
            task.cancel()
            raise DeadlineExceeded(f"no answer within {limit_ns} ns")
        return cast("T", task.result())

    async def _is_late(self, task: Task, limit: Timer) -> bool:
        """Wait for the task or the limit, whichever happens first; whoever leaves meanwhile takes the task along."""
        late = self.future()

        def settle(is_late: bool) -> None:
            if not late.triggered:
                late.set_result(is_late)

        cast("list[Any]", limit.callbacks).append(lambda _event: settle(is_late=True))
        cast("list[Any]", task.when_done().callbacks).append(lambda _event: settle(is_late=False))
        try:
            return cast("bool", await late)
        except BaseException:
            task.cancel()
            raise

    def forget(self, task: Task) -> None:
        """Let go of a task that has ended."""
        del self._live[task]

    def report(self, failure: BaseException) -> None:
        """Put a failure in the sink, which stops the run before the next event. A cancellation is none."""
        if not isinstance(failure, Cancelled):
            self._failures.append(failure)

    def run(self, horizon_ns: int) -> None:
        """Run event after event until no task is left, or the next event is at or after the horizon.

        Tasks still alive then are closed, in the order they were started, never by the garbage collector. Raises
        the first failure of a task.
        """
        try:
            self._step_until(horizon_ns)
        finally:
            self._close_all()
        if self._failures:
            raise self._failures[0]

    def _step_until(self, horizon_ns: int) -> None:
        environment, queue, live, failures = self.environment, self.environment._queue, self._live, self._failures
        while live and queue and not failures and queue[0][0] < horizon_ns:
            environment._now, _, _, event = heappop(queue)
            callbacks = cast("list[Any]", event.callbacks)
            event.callbacks = None  # type: ignore[assignment]  # SimPy's own mark of an event that has happened
            for callback in callbacks:
                callback(event)

    def _close_all(self) -> None:
        self._is_over = True
        while self._live:
            task = next(iter(self._live))
            _close(task.work)
            task.end(None, None)


def _close(work: Coroutine[Any, Any, Any]) -> None:
    """Close the coroutine, again if it went on to wait in a cleanup of its own, which Python refuses with this error."""
    while True:
        try:
            return work.close()
        except RuntimeError:
            continue
