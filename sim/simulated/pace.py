"""How a process gets on with its work: at full speed, or as the faults of its node and its own let it."""

from collections.abc import Awaitable
from fractions import Fraction
from math import ceil, floor
from typing import Protocol

from sim.routing.errors import DeadlineExceeded
from sim.simulated.runtime import SimulatedRuntime
from sim.simulated.waits import Answer, pause


class Pace(Protocol):
    """The passing of work."""

    @property
    def is_moving(self) -> bool:
        """False while the process does nothing at all."""

    def work(self, work_ns: int) -> Awaitable[None]:
        """Wait until work that takes that long at full speed is done."""

    async def moving(self) -> None:
        """Wait until the process does something again."""


class SteadyPace:
    """Full speed, always."""

    is_moving = True

    work = staticmethod(pause)

    async def moving(self) -> None:
        """Go on at once."""


class VariablePace:
    """A speed that faults change, also while work is under way."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self._runtime = runtime
        self._slowdown = Fraction(1)
        self._stops = 0
        self._changed: Answer = runtime.future()

    @property
    def is_moving(self) -> bool:
        """Whether nothing has stopped it."""
        return not self._stops

    def slow_down(self, factor: Fraction) -> None:
        """Have everything take `factor` times as long from now on."""
        self._slowdown *= factor
        self._tell()

    def stop(self) -> None:
        """Do nothing from now on."""
        self._stops += 1
        self._tell()

    def go(self) -> None:
        """Take one stop back."""
        self._stops -= 1
        self._tell()

    async def work(self, work_ns: int) -> None:
        """Wait until the work is done, at whatever speed there is meanwhile."""
        left_ns = work_ns
        while left_ns > 0:
            await self.moving()
            slowdown, began_ns = self._slowdown, self._runtime.now_ns()
            try:
                await self._runtime.within(ceil(left_ns * slowdown), self._change())
            except DeadlineExceeded:
                return
            left_ns -= floor((self._runtime.now_ns() - began_ns) / slowdown)

    async def moving(self) -> None:
        """Wait as long as it is stopped."""
        while self._stops:
            await self._change()

    async def _change(self) -> None:
        await self._changed

    def _tell(self) -> None:
        changed, self._changed = self._changed, self._runtime.future()
        changed.set_result(None)
