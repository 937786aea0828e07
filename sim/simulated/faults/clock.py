"""Faults of clocks: a frontend's wall time is wrong, its monotonic time never is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from fractions import Fraction
from math import floor
from typing import Protocol, TypeVar

from sim.routing.ports import Clock
from sim.scenario.spec.faults.clock import (
    ClockCoarseFault,
    ClockDriftFault,
    ClockFrozenFault,
    ClockOffsetFault,
    ClockStepFault,
    ClockZoneFault,
)
from sim.simulated.faults.base import ActiveTime, Fault, Luck, SomeSpec, effect_of
from sim.simulated.parts import Parts


class _ClockSpec(SomeSpec, Protocol):
    @property
    def frontend(self) -> int: ...
    @property
    def at_ns(self) -> int: ...


Spec = TypeVar("Spec", bound=_ClockSpec)


class _SkewedWallClock:
    """A clock whose wall time goes through a function."""

    def __init__(self, clock: Clock, wrong_ns: Callable[[Clock], int]) -> None:
        self.now_ns = clock.now_ns
        self._clock = clock
        self._wrong_ns = wrong_ns

    def wall_ns(self) -> int:
        return self._wrong_ns(self._clock)


class _ClockFault(Fault[Spec], ABC):
    """A fault that makes one frontend's clock show a wrong time."""

    def __init__(self, spec: Spec, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._active = self._active_time()

    def skew(self, frontend: int, clock: Clock) -> Clock:
        return _SkewedWallClock(clock, self._shown_ns) if frontend == self.spec.frontend else clock

    async def happen(self) -> None:
        await self.parts.runtime.sleep(self.spec.at_ns)
        self.struck(f"frontend {self.spec.frontend}")

    def _active_time(self) -> ActiveTime:
        return ActiveTime(self.spec.at_ns, None)

    def _shown_ns(self, clock: Clock) -> int:
        return self._wrong_ns(clock) if self._active.holds(clock.now_ns()) else clock.wall_ns()

    @abstractmethod
    def _wrong_ns(self, clock: Clock) -> int:
        """Return the time that is shown in place of the clock's wall time."""


@effect_of(ClockOffsetFault, ClockStepFault, ClockZoneFault)
class Shifted(_ClockFault[ClockOffsetFault | ClockStepFault | ClockZoneFault]):
    """A clock that is ahead or behind by a constant time: wrongly set, stepped, or in the wrong zone."""

    def _wrong_ns(self, clock: Clock) -> int:
        return clock.wall_ns() + self.spec.shift_ns


@effect_of(ClockDriftFault)
class Drifting(_ClockFault[ClockDriftFault]):
    """A clock that runs too fast or too slowly."""

    def _wrong_ns(self, clock: Clock) -> int:
        gain = Fraction(self.spec.percent) / 100
        return clock.wall_ns() + floor((clock.now_ns() - self.spec.at_ns) * gain)


@effect_of(ClockFrozenFault)
class Frozen(_ClockFault[ClockFrozenFault]):
    """A clock that shows the time at which it stopped."""

    def __init__(self, spec: ClockFrozenFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._clock: Clock | None = None
        self._stopped_ns: int | None = None

    def skew(self, frontend: int, clock: Clock) -> Clock:
        if frontend == self.spec.frontend:
            self._clock = clock
        return super().skew(frontend, clock)

    async def happen(self) -> None:
        await super().happen()
        if self._clock is not None:
            self._stopped_ns = self._clock.wall_ns()

    def _active_time(self) -> ActiveTime:
        return ActiveTime(self.spec.at_ns, self.spec.lasts_ns)

    def _wrong_ns(self, clock: Clock) -> int:
        # Whoever asks at the very instant, just before it stops, reads the same time.
        return clock.wall_ns() if self._stopped_ns is None else self._stopped_ns


@effect_of(ClockCoarseFault)
class Coarse(_ClockFault[ClockCoarseFault]):
    """A clock that advances in steps."""

    def _wrong_ns(self, clock: Clock) -> int:
        return clock.wall_ns() // self.spec.step_ns * self.spec.step_ns
