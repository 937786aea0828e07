"""What a fault may do to a world: change what a frontend sees of it, or do something to it at a time."""

import numpy as np

from sim.routing.clients import Serve
from sim.routing.ports import Clock, FrontendPorts
from sim.simulated.stage import Stage


class Fault:
    """One entry of a scenario's `faults`, at work. It overrides what it needs; the rest leaves the world alone."""

    def skew(self, frontend: int, clock: Clock) -> Clock:
        """Return the clock that the frontend of this index goes by."""
        return clock

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Return what the frontend of this index reaches its world through; asked anew when it restarts."""
        return ports

    def around_serve(self, frontend: int, serve: Serve) -> Serve:
        """Return what clients of the frontend of this index call."""
        return serve

    async def happen(self, stage: Stage) -> None:
        """Do what is to be done at its time; begins with the run, in the background."""


class Window:
    """The part of a run during which a fault holds, the first instant included and the last one not."""

    __slots__ = ("_begins_ns", "_ends_ns")

    def __init__(self, begins_ns: int, lasts_ns: int | None) -> None:
        """Without `lasts_ns` it holds to the end of the run."""
        self._begins_ns = begins_ns
        self._ends_ns = None if lasts_ns is None else begins_ns + lasts_ns

    def holds(self, now_ns: int) -> bool:
        """Tell whether the fault holds at this time."""
        return self._begins_ns <= now_ns and (self._ends_ns is None or now_ns < self._ends_ns)


class Luck:
    """Draws of one fault, of nobody else's."""

    __slots__ = ("_generator",)

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def strikes(self, rate: float) -> bool:
        """Tell whether something of that probability happens this time; certain and impossible things draw nothing."""
        return rate >= 1 or (rate > 0 and self._generator.random() < rate)

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to below `limit`, each as likely."""
        return int(self._generator.integers(limit))

    def exponential_ns(self, mean_ns: int) -> int:
        """Return an exponential time of that mean."""
        return round(self._generator.exponential(mean_ns))

    def shuffled(self, count: int) -> list[int]:
        """Return the numbers from 0 to below `count`, in any order."""
        return [int(number) for number in self._generator.permutation(count)]
