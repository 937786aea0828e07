"""What is to happen, and when: SimPy's event heap, on whole nanoseconds."""

from collections.abc import Iterator
from heapq import heappush
from itertools import count
from typing import Any

import simpy
from simpy.events import NORMAL

from sim.simulated.kernel.awaitables import Cancelled, SimFuture

Tickets = Iterator[int]
"""Give each scheduled event its place among those of the same instant; no two are equal."""

NOT_A_DELAY = "a delay is a whole number of nanoseconds, not {!r}"


class Agenda(simpy.Environment):
    """The heap and its clock, the task that is being stepped, and the failures that stop the run."""

    _now: int

    def __init__(self, tickets: Tickets | None = None) -> None:
        super().__init__(initial_time=0)
        self.tickets = tickets or count()
        self.heap: list[Any] = self._queue
        """SimPy's own heap of (time, priority, ticket, event), where a task that pauses stands for itself."""
        self.running: Any = None
        """The SimTask whose coroutine runs now; None before the first."""
        self.failures: list[BaseException] = []

    def schedule(self, event: simpy.Event, priority: Any = NORMAL, delay: float = 0) -> None:
        """Put the event on the heap; refuses any delay but a whole number of nanoseconds from 0 up.

        SimPy's own check lets NaN pass, after which events run in any order.
        """
        if type(delay) is not int or delay < 0:
            raise ValueError(NOT_A_DELAY.format(delay))
        heappush(self._queue, (self._now + delay, priority, next(self.tickets), event))

    def now_ns(self) -> int:
        """Return the nanoseconds since the start of the run."""
        return self._now

    wall_ns = now_ns

    def future(self) -> SimFuture:
        """Make an answer that is not given yet."""
        return SimFuture(self)

    def report(self, failure: BaseException) -> None:
        """Put a failure in the sink, which stops the run before the next event. A cancellation is none."""
        if not isinstance(failure, Cancelled):
            self.failures.append(failure)
