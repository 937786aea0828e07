"""The routing code's runtime on SimPy: an integer-nanosecond clock, its own step loop, and tasks.

SimPy gives the event heap and the events. A task here steps its coroutine straight from the callback of the event it
waits for, starts at once and makes no end event unless somebody waits for it, which is much cheaper than SimPy's own
Process; a failure inside a task goes to a sink and stops the loop, where SimPy would rebuild the exception or let a
waiting parent swallow it.
"""

from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar, cast

import simpy
from simpy.events import NORMAL

from sim.routing.errors import DeadlineExceeded

T = TypeVar("T")
Ticket = Callable[[], int]
"""Gives each scheduled event its place among those of the same instant; no two tickets are equal."""


_Outcome = tuple[Any, BaseException | None]
_NOTHING: _Outcome = (None, None)
_NOT_A_DELAY = "a delay is a whole number of nanoseconds, not {!r}"


class Cancelled(BaseException):
    """Raised where a cancelled task waits. Not an Exception, so that no handler of errors takes it for one."""


class Timer:
    """An event that happens after a delay; what the heap and a waiting task need of an event, and no more."""

    __slots__ = ("callbacks",)

    _ok = True
    _value = None

    def __init__(self, runtime: "SimulatedRuntime", delay_ns: int) -> None:
        if type(delay_ns) is not int or delay_ns < 0:
            raise ValueError(_NOT_A_DELAY.format(delay_ns))
        self.callbacks: Any = []
        heappush(runtime._queue, (runtime._now + delay_ns, NORMAL, runtime._ticket(), self))

    def __await__(self) -> Generator[simpy.Event, Any, None]:
        """Wait until it has happened."""
        # Any iterator will do where no value is sent in, and a tuple's is made faster than a generator.
        return iter(() if self.callbacks is None else (self,))  # type: ignore[return-value]


class Answer(simpy.Event):
    """A future: a SimPy event that is triggered with the answer."""

    callbacks: Any

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
        if self.callbacks is not None:
            return (yield self)
        if not self._ok:
            raise cast("BaseException", self._value)
        return self._value


class Task:
    """A coroutine stepped from the callbacks of the events it waits for."""

    __slots__ = ("_advance", "_on_end", "_outcome", "_runtime", "_waits_for", "name", "work")

    def __init__(
        self,
        runtime: "SimulatedRuntime",
        work: Coroutine[Any, Any, Any],
        name: str,
        advance: Callable[..., Any],
        waits_for: simpy.Event | None,
        outcome: _Outcome | None,
    ) -> None:
        self.work = work
        self.name = name
        self._runtime = runtime
        self._advance = advance
        self._waits_for = waits_for
        self._outcome = outcome
        self._on_end: Answer | None = None

    def done(self) -> bool:
        """Tell whether the coroutine has ended."""
        return self._outcome is not None

    def cancel(self) -> None:
        """Raise Cancelled in the coroutine, later at this same instant, unless it has ended by then."""
        if self._outcome is None:
            Timer(self._runtime, 0).callbacks.append(self._break_off)

    def result(self) -> Any:
        """Return what the coroutine returned, or raise what it raised; only once it is done."""
        result, error = cast("_Outcome", self._outcome)
        if error is not None:
            raise error
        return result

    def failure(self) -> BaseException | None:
        """Return what the coroutine raised; None if it has not ended or ended well."""
        return None if self._outcome is None else self._outcome[1]

    def when_done(self) -> Answer:
        """Return an event that happens when the coroutine ends; its error, if any, is then the asker's to raise."""
        self._on_end = Answer(self._runtime)
        return self._on_end

    def resume(self, event: simpy.Event) -> None:
        """Run the coroutine to its next wait, with the value or the error of the event it waited for."""
        try:
            waits_for = self._advance(self.work.send if event._ok else self.work.throw, event._value)
        except StopIteration as stop:
            self.end((stop.value, None))
        except BaseException as error:
            self.end((None, error))
        else:
            self._waits_for = waits_for
            waits_for.callbacks.append(self.resume)

    def end(self, outcome: _Outcome) -> None:
        """Note how the coroutine ended."""
        self._outcome = outcome
        self._waits_for = None
        del self._runtime.live[self]
        error = outcome[1]
        if self._on_end is not None:
            self._on_end.set_result(None)
        if error is not None and (self._on_end is None or not isinstance(error, Exception)):
            self._runtime.report(error)

    def close(self) -> None:
        """Close the coroutine, and again if it went on to wait in a cleanup of its own: Python refuses that."""
        while True:
            try:
                self.work.close()
            except RuntimeError:
                continue
            return self.end(_NOTHING)

    def _break_off(self, _kick: simpy.Event) -> None:
        if self._waits_for is None:
            return
        if self._waits_for.callbacks is not None:
            self._waits_for.callbacks.remove(self.resume)
        blow = Answer(self._runtime)
        blow._ok = False
        blow._value = Cancelled(f"{self.name} was cancelled")
        self.resume(blow)


class SimulatedRuntime(simpy.Environment):
    """Clock and tasks of a simulated run: SimPy's environment, on whole nanoseconds.

    A task that fails while nobody waits for it stops the run, and the failure is raised from `run_tasks`.
    """

    _now: int

    def __init__(self, ticket: Ticket | None = None) -> None:
        super().__init__(initial_time=0)
        self._ticket = ticket or count().__next__
        self.live: dict[Task, None] = {}
        self._is_over = False
        self._failures: list[BaseException] = []

    def schedule(self, event: simpy.Event, priority: Any = NORMAL, delay: float = 0) -> None:
        """Put the event on the heap; refuses any delay but a whole number of nanoseconds from 0 up.

        SimPy's own check lets NaN pass, after which events run in any order.
        """
        if type(delay) is not int or delay < 0:
            raise ValueError(_NOT_A_DELAY.format(delay))
        heappush(self._queue, (self._now + delay, priority, self._ticket(), event))

    def now_ns(self) -> int:
        """Return the nanoseconds since the start of the run."""
        return self._now

    wall_ns = now_ns

    def sleep(self, delay_ns: int) -> Timer:
        """Return what to await for the delay to pass."""
        return Timer(self, delay_ns)

    def future(self) -> Answer:
        """Make an answer that is not given yet."""
        return Answer(self)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> Task:
        """Start the coroutine at once: it runs to its first wait before this returns."""
        task = self._start(work, name)
        failure = task.failure()
        if failure is not None:
            self.report(failure)
        return task

    def _start(self, work: Coroutine[Any, Any, Any], name: str) -> Task:
        advance = copy_context().run
        if self._is_over:
            work.close()
            return Task(self, work, name, advance, None, _NOTHING)
        try:
            waits_for = advance(work.send, None)
        except StopIteration as stop:
            return Task(self, work, name, advance, None, (stop.value, None))
        except BaseException as error:
            return Task(self, work, name, advance, None, (None, error))
        task = Task(self, work, name, advance, waits_for, None)
        self.live[task] = None
        waits_for.callbacks.append(task.resume)
        return task

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or cancel it and raise DeadlineExceeded.

        An answer that comes at the very instant of the limit is too late: the limit was scheduled first.
        """
        limit = self.sleep(limit_ns)
        task = self._start(work, "within")
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

        limit.callbacks.append(lambda _event: settle(is_late=True))
        task.when_done().callbacks.append(lambda _event: settle(is_late=False))
        try:
            return cast("bool", await late)
        except BaseException:
            task.cancel()
            raise

    def report(self, failure: BaseException) -> None:
        """Put a failure in the sink, which stops the run before the next event. A cancellation is none."""
        if not isinstance(failure, Cancelled):
            self._failures.append(failure)

    def run_tasks(self, horizon_ns: int) -> None:
        """Run event after event until no task is left, or the next event is at or after the horizon.

        Tasks still alive then are closed, in the order they were started, never by the garbage collector. Raises
        the first failure of a task.
        """
        try:
            self._step_until(horizon_ns)
        finally:
            self._is_over = True
            while self.live:
                next(iter(self.live)).close()
        if self._failures:
            raise self._failures[0]

    def _step_until(self, horizon_ns: int) -> None:
        queue: list[Any] = self._queue
        live, failures, pop = self.live, self._failures, heappop
        while live and queue and not failures and queue[0][0] < horizon_ns:
            self._now, _, _, event = pop(queue)
            callbacks = event.callbacks
            event.callbacks = None  # SimPy's own mark of an event that has happened
            for callback in callbacks:
                callback(event)
