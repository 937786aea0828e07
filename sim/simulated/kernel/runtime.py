"""The routing code's runtime on SimPy: an integer-nanosecond clock, its own step loop, and tasks.

SimPy gives the event heap and the events. A task here steps its coroutine straight from the callback of the event it
waits for, starts at once and makes no end event unless somebody waits for it, which is much cheaper than SimPy's own
Process; a failure inside a task goes to a sink and stops the loop, where SimPy would rebuild the exception or let a
waiting parent swallow it.
"""

from collections.abc import Coroutine
from contextvars import Context
from heapq import heappop, heappush
from itertools import repeat
from typing import Any, TypeVar, cast

import simpy
from simpy.events import NORMAL

from sim.routing.errors import DeadlineExceeded
from sim.routing.units import NS_PER_S
from sim.simulated.kernel.agenda import Agenda, Tickets
from sim.simulated.kernel.awaitables import SimFuture, pause
from sim.simulated.kernel.livelock import MOST_EVENTS_AT_ONCE, Livelock
from sim.simulated.kernel.task import SimTask, Tasks

T = TypeVar("T")

_LOOKED_AT, _NAMED = 1000, 5
"""How many events are looked at to see who spins, and how many of those are named."""


class SimulatedRuntime(Agenda):
    """Clock and tasks of a simulated run.

    A task that fails while nobody waits for it stops the run, and the failure is raised from `run_tasks`.
    """

    def __init__(self, tickets: Tickets | None = None) -> None:
        super().__init__(tickets)
        self.live: Tasks = {}
        """The run lasts as long as there are any."""
        self.background: Tasks = {}
        """Loops without an end, and what they have begun."""
        self._is_over = False

    sleep = staticmethod(pause)

    def spawn(
        self, work: Coroutine[Any, Any, Any], name: str, on_end: SimFuture | None = None, peers: Tasks | None = None
    ) -> SimTask:
        """Start the coroutine at once: it runs to its first wait before this returns.

        If `on_end` is given, it happens when the coroutine ends, and an error is then the asker's to raise. The task
        belongs to the same ones as the task that spawns it, unless `peers` says otherwise.
        """
        spawner = self.running
        if peers is None:
            peers = self.live if spawner is None else spawner.peers
        task = SimTask(self, work, name, peers, on_end)
        if self._is_over:
            task.close()
            return task
        task.step()
        self.running = spawner
        return task

    def spawn_background(self, work: Coroutine[Any, Any, Any], name: str) -> SimTask:
        """Start a coroutine that the run does not wait for; nor does it wait for what that one starts."""
        return self.spawn(work, name, peers=self.background)

    def spawn_foreground(self, work: Coroutine[Any, Any, Any], name: str) -> SimTask:
        """Start a coroutine that the run waits for, even if something in the background starts it."""
        return self.spawn(work, name, peers=self.live)

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or cancel it and raise DeadlineExceeded.

        An answer that comes at the very instant of the limit is too late: the limit was scheduled first.
        """
        limit = self.timeout(limit_ns)
        ended = self.future()
        # It goes by the name of who waits for it: in an error it stands for that one.
        task = self.spawn(work, self.running.name, ended)
        if not task.done() and await self._is_late(task, ended, limit):
            raise DeadlineExceeded(f"no answer within {limit_ns} ns")
        return cast("T", task.result())

    async def _is_late(self, task: SimTask, ended: SimFuture, limit: simpy.Timeout) -> bool:
        """Wait for the task or the limit, whichever happens first; whoever leaves meanwhile takes the task along."""
        late = self.future()

        def settle(is_late: bool) -> None:
            if not late.triggered:
                late.set_result(is_late)

        def cut_off(_limit: simpy.Event) -> None:
            # At once, so that nothing which happens at this same instant can still let the task come to its end.
            if not task.done():
                task.cancel()
                settle(is_late=True)

        cast("list[Any]", limit.callbacks).append(cut_off)
        ended.callbacks.append(lambda _event: settle(is_late=False))
        try:
            return cast("bool", await late)
        except BaseException:
            task.cancel()
            raise

    def run_tasks(self, horizon_ns: int, most_at_once: int = MOST_EVENTS_AT_ONCE) -> bool:
        """Run event after event until only the background is left, or the next event is at the horizon or later.

        Returns whether every task came to its own end. Those still alive are closed, in the order they were started
        and the background's last, never by the garbage collector. Raises the first failure of a task, and Livelock
        if there is no end to the events of one instant: at the latest when they are twice as many as `most_at_once`.
        """
        try:
            # Whatever context the caller is in, the tasks of a run are in one of their own.
            Context().run(self._step_until, horizon_ns, most_at_once)
            all_ended = not self.live
        finally:
            self._is_over = True
            for task in [*self.live, *self.background]:
                task.close()
        if self.failures:
            raise self.failures[0]
        return all_ended

    def _step_until(self, horizon_ns: int, most_at_once: int) -> None:
        # Goes before whatever else happens at the horizon, and keeps the heap from running empty.
        heappush(self.heap, (horizon_ns, NORMAL - 1, 0, None))
        now_ns = -1
        # The clock is looked at after so many events only, because a look after each would cost every request.
        while self._step(most_at_once):
            if self._now == now_ns:
                raise Livelock(
                    f"time stands still at {now_ns / NS_PER_S:,} s: more than {most_at_once:,} events at that instant, "
                    f"one after the other of {', '.join(self._who_spins())}"
                )
            now_ns = self._now

    def _who_spins(self) -> list[str]:
        """Return the names of the tasks that the next events belong to."""
        names: dict[str, None] = {}
        for _ in range(_LOOKED_AT):
            if not self._step(1):
                break
            names[self.running.name] = None
        return list(names)[:_NAMED]

    def _step(self, events: int) -> bool:
        """Run so many events, and tell whether there may be more to run."""
        heap, live, failures, pop = self.heap, self.live, self.failures, heappop
        for _ in repeat(None, events):
            if failures or not live:
                return False
            now_ns, _, ticket, event = pop(heap)
            if type(event) is SimTask:
                self._now = now_ns
                # Nothing happens if the task was woken from this pause otherwise.
                if ticket == event.waits_for:
                    event.step()
            elif event is None:
                return False
            else:
                self._now = now_ns
                callbacks = event.callbacks
                event.callbacks = None  # SimPy's own mark of an event that has happened
                for callback in callbacks:
                    callback(event)
        return True
