"""Coroutines under way in a simulated run."""

from collections.abc import Coroutine
from contextvars import Context, copy_context
from heapq import heappush
from typing import Any, Protocol, cast

import simpy
from simpy.events import NORMAL

from sim.routing.errors import CallError
from sim.simulated.kernel.agenda import NOT_A_DELAY, Agenda
from sim.simulated.kernel.awaitables import Cancelled, SimFuture


class _Steps(Protocol):
    """What a task needs of its coroutine."""

    def send(self, value: Any, /) -> Any: ...
    def throw(self, error: BaseException, /) -> Any: ...
    def close(self) -> None: ...


class _InContext:
    """A coroutine whose steps are all taken in the context that it was started in."""

    def __init__(self, work: Coroutine[Any, Any, Any], context: Context) -> None:
        self._work = work
        self._context = context
        self.close = work.close

    def send(self, value: Any, /) -> Any:
        return self._context.run(self._work.send, value)

    def throw(self, error: BaseException, /) -> Any:
        return self._context.run(self._work.throw, error)


_Outcome = tuple[Any, BaseException | None]
_Wait = int | simpy.Event | None


class SimTask:
    """A coroutine, stepped from the heap when it pauses and from the callbacks of events it waits for."""

    __slots__ = (
        "_agenda", "_is_cancelled", "_on_end", "_outcome", "_work", "name", "peers", "waits_for",
    )  # fmt: skip

    def __init__(
        self,
        agenda: Agenda,
        work: Coroutine[Any, Any, Any],
        name: str,
        peers: "Tasks",
        on_end: SimFuture | None,
    ) -> None:
        self.peers = peers
        """Those under way that it belongs to, and so does whatever it spawns: the run's own, or the background."""
        self.name = name
        context = copy_context()
        # The run steps its tasks in an empty context, so a task that was started in one needs no other.
        self._work: _Steps = _InContext(work, context) if len(context) else work
        self._agenda = agenda
        self._outcome: _Outcome | None = None
        self._is_cancelled = False
        self._on_end = on_end
        self.waits_for: _Wait = None
        """The ticket of a pause, or an event; None while suspended and once it has ended."""
        # Last, so that whoever closes the peers after Ctrl-C finds none that is half made.
        peers[self] = None

    def done(self) -> bool:
        """Tell whether the coroutine has ended."""
        return self._outcome is not None

    def cancel(self) -> None:
        """Raise Cancelled in the coroutine, later at this same instant; what it waits for reaches it no more."""
        if self._outcome is None:
            self._is_cancelled = True
            self._stop_waiting()
            cast("list[Any]", self._agenda.timeout(0).callbacks).append(self._break_off)

    def interrupt(self, error: Exception) -> None:
        """Raise the error in the coroutine where it waits, at once, unless it is cancelled already.

        It must not have ended, nor be running.
        """
        if self._is_cancelled:
            return
        interrupter = self._agenda.running
        self._throw(error)
        self._agenda.running = interrupter

    def result(self) -> Any:
        """Return what the coroutine returned, or raise what it raised; only once it is done."""
        result, error = cast("_Outcome", self._outcome)
        if error is not None:
            raise error
        return result

    def failure(self) -> BaseException | None:
        """Return what the coroutine raised; None if it has not ended or ended well."""
        return None if self._outcome is None else self._outcome[1]

    def resume(self, event: simpy.Event) -> None:
        """Go on with the value or the error of the event, unless the task does not wait for it any more."""
        # Whoever heard of this event first may have interrupted or cancelled the task.
        if self.waits_for is not event:
            return
        if event._ok:
            self.step(event._value)
        else:
            self.step(None, cast("BaseException", event._value))

    def step(self, value: Any = None, error: BaseException | None = None) -> None:
        """Run the coroutine to its next wait, or to its end, with a value or an error where it waits."""
        agenda = self._agenda
        agenda.running = self
        try:
            # An error may come from another task, which has a context of its own.
            wait = self._work.send(value) if error is None else Context().run(self._work.throw, error)
        except StopIteration as stop:
            self.end((stop.value, None))
        except BaseException as error:
            self.end((None, error))
        else:
            if type(wait) is int and wait >= 0:
                ticket = self.waits_for = next(agenda.tickets)
                heappush(agenda.heap, (agenda._now + wait, NORMAL, ticket, self))
            elif wait is None:
                self.waits_for = None
            else:
                self._wait_for_event(wait)

    def end(self, outcome: _Outcome) -> None:
        """Note how the coroutine ended."""
        self._outcome = outcome
        self.waits_for = None
        del self.peers[self]
        error = outcome[1]
        if self._on_end is not None:
            self._on_end.set_result(None)
        if error is not None and self._is_lost(error):
            self._agenda.report(error)

    def _is_lost(self, error: BaseException) -> bool:
        """Tell whether nobody waits who would raise the error again; a call that fails while it is cancelled may go."""
        if self._on_end is None or not isinstance(error, Exception):
            return True
        return self._is_cancelled and not isinstance(error, CallError)

    def close(self) -> None:
        """Close the coroutine, and again if it went on to wait in a cleanup of its own: Python refuses that."""
        while self._outcome is None:
            try:
                self._work.close()
            except RuntimeError:
                continue
            self.end((None, None))

    def wake_up(self) -> None:
        """Step the suspended coroutine, later at this same instant, unless the task is cancelled: then that ends it."""
        if self._is_cancelled:
            return
        agenda = self._agenda
        ticket = self.waits_for = next(agenda.tickets)
        heappush(agenda.heap, (agenda._now, NORMAL, ticket, self))

    def _wait_for_event(self, event: Any) -> None:
        if isinstance(event, simpy.Event):
            self.waits_for = event
            cast("list[Any]", event.callbacks).append(self.resume)
        else:
            self.waits_for = None
            self.step(None, ValueError(NOT_A_DELAY.format(event)))

    def _break_off(self, _kick: simpy.Event) -> None:
        if self._outcome is None:
            self._throw(Cancelled(f"{self.name} was cancelled"))

    def _throw(self, error: BaseException) -> None:
        self._stop_waiting()
        self.step(None, error)

    def _stop_waiting(self) -> None:
        wait, self.waits_for = self.waits_for, None
        callbacks = cast("list[Any] | None", wait.callbacks) if isinstance(wait, simpy.Event) else None
        if callbacks and self.resume in callbacks:
            callbacks.remove(self.resume)


Tasks = dict[SimTask, None]
"""In the order they were started."""
