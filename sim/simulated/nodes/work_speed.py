"""How fast a process works: at full speed, or as slowly as faults of its node and its own make it."""

from collections.abc import Awaitable
from fractions import Fraction
from math import ceil, floor
from typing import Protocol

from sim.routing.errors import DeadlineExceeded
from sim.simulated.kernel.awaitables import SimFuture, pause
from sim.simulated.kernel.runtime import SimulatedRuntime


class WorkSpeed(Protocol):
    """The speed at which a process works."""

    @property
    def is_moving(self) -> bool:
        """False while the process does nothing at all."""

    def work(self, work_ns: int) -> Awaitable[None]:
        """Wait until the work is done; `work_ns` is its length at full speed."""

    async def moving(self) -> None:
        """Wait until the process does something again."""


class FullSpeed:
    """Full speed, always."""

    is_moving = True

    work = staticmethod(pause)

    async def moving(self) -> None:
        """Return at once: it never stops."""


FULL_SPEED = FullSpeed()


class Bell:
    """Rings any number of times; each waiter goes on at the next ring."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self._runtime = runtime
        self._next: SimFuture | None = None

    def ring(self) -> None:
        """Let all waiters go on, later at this same instant."""
        if self._next is not None:
            rung, self._next = self._next, None
            rung.set_result(None)

    async def heard(self) -> None:
        """Wait until it rings."""
        if self._next is None:
            self._next = self._runtime.future()
        await self._next


class VariableSpeed:
    """A speed that faults change, also while work is under way; a node's faults slow its processes too."""

    def __init__(self, runtime: SimulatedRuntime, node: "VariableSpeed | None" = None) -> None:
        self.turns: Bell = Bell(runtime) if node is None else node.turns
        """Rings whenever a process starts or any work begins or ends, somewhere on the node."""
        self._runtime = runtime
        self._node = node
        self._changes: Bell = Bell(runtime) if node is None else node._changes
        self._own_slowdown = Fraction(1)
        self._stops = 0

    def of_new_process(self) -> "VariableSpeed":
        """Return the speed of a process that starts now on this node."""
        self.turns.ring()
        return VariableSpeed(self._runtime, self)

    @property
    def is_moving(self) -> bool:
        """Whether neither it nor its node is stopped."""
        return not self._stops and (self._node is None or self._node.is_moving)

    def slow_down(self, factor: Fraction) -> None:
        """Make everything take `factor` times as long from now on."""
        self._own_slowdown *= factor
        self._changes.ring()

    def stop(self) -> None:
        """Stop all work."""
        self._stops += 1
        self._changes.ring()

    def go(self) -> None:
        """Undo one stop."""
        self._stops -= 1
        self._changes.ring()

    async def work(self, work_ns: int) -> None:
        """Wait until the work is done. The speed may change meanwhile."""
        self.turns.ring()
        try:
            await self._work(work_ns)
        finally:
            self.turns.ring()

    async def moving(self) -> None:
        """Wait as long as it is stopped."""
        while not self.is_moving:
            await self._changes.heard()

    async def _work(self, work_ns: int) -> None:
        left_ns = work_ns
        while left_ns > 0:
            await self.moving()
            slowdown, began_ns = self._slowdown(), self._runtime.now_ns()
            try:
                await self._runtime.within(ceil(left_ns * slowdown), self._changes.heard())
            except DeadlineExceeded:
                return
            left_ns -= floor((self._runtime.now_ns() - began_ns) / slowdown)

    def _slowdown(self) -> Fraction:
        return self._own_slowdown if self._node is None else self._own_slowdown * self._node._slowdown()
