"""What a task can wait for, and what may be raised where it waits.

A coroutine of the simulated world yields one of three things to the task that steps it: a number of nanoseconds to
pause for, nothing at all until it is woken up, or a SimPy event.
"""

from collections.abc import Generator
from types import coroutine
from typing import Any, cast

import simpy


class Cancelled(BaseException):
    """Raised where a cancelled task waits. Not an Exception, so that no handler of errors takes it for one."""


@coroutine
def pause(delay_ns: int) -> Generator[int, None, None]:
    """Wait for the delay."""
    yield delay_ns


class SimFuture(simpy.Event):
    """A future: a SimPy event that is triggered with the answer."""

    callbacks: Any

    def done(self) -> bool:
        return self.triggered

    def set_result(self, result: Any, /) -> None:
        """Give the answer; waiters run later, at this same instant."""
        self.succeed(result)

    def set_exception(self, error: BaseException, /) -> None:
        self._ok = False
        self._value = error
        self.env.schedule(self)

    def __await__(self) -> Generator[simpy.Event, Any, Any]:
        if self.callbacks is not None:
            return (yield self)
        if not self._ok:
            raise cast("BaseException", self._value)
        return self._value
