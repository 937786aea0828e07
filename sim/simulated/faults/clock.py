"""Faults of family clock: a frontend's wall time is wrong, its monotonic time never is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import floor
from typing import Any

from sim.routing.ports import Clock
from sim.scenario.spec.faults.clock import (
    ClockCoarseFault,
    ClockDriftFault,
    ClockFrozenFault,
    ClockOffsetFault,
    ClockStepFault,
    ClockZoneFault,
)
from sim.simulated.faults.base import Fault, Luck, Window
from sim.simulated.stage import Stage


class _WrongClock:
    """A clock whose wall time goes through a spec."""

    def __init__(self, clock: Clock, wrong_ns: Callable[[Clock], int]) -> None:
        self.now_ns = clock.now_ns
        self._clock = clock
        self._wrong_ns = wrong_ns

    def wall_ns(self) -> int:
        """Return what the clock shows."""
        return self._wrong_ns(self._clock)


class _ClockFault(Fault, ABC):
    """Has one frontend's clock show something else from a time on."""

    def __init__(self, kind: str, frontend: int, at_ns: int, lasts_ns: int | None = None) -> None:
        self._kind = kind
        self._frontend = frontend
        self._at_ns = at_ns
        self._window = Window(at_ns, lasts_ns)

    def skew(self, frontend: int, clock: Clock) -> Clock:
        """Return a clock that is wrong while the fault holds."""
        return _WrongClock(clock, self._shown_ns) if frontend == self._frontend else clock

    async def happen(self, stage: Stage) -> None:
        """Note when the clock goes wrong."""
        await stage.runtime.sleep(self._at_ns)
        stage.journal.fault_struck(self._kind, f"frontend {self._frontend}")

    def _shown_ns(self, clock: Clock) -> int:
        return self._wrong_ns(clock) if self._window.holds(clock.now_ns()) else clock.wall_ns()

    @abstractmethod
    def _wrong_ns(self, clock: Clock) -> int:
        """Return what is shown in place of the clock's wall time."""


class _Shifted(_ClockFault):
    """A clock that is ahead or behind by the same time ever after: wrongly set, stepped, or in the wrong zone."""

    def __init__(self, spec: ClockOffsetFault | ClockStepFault | ClockZoneFault, _luck: Luck) -> None:
        super().__init__(spec.kind, spec.frontend, spec.at_ns)
        self._shift_ns = spec.shift_ns

    def _wrong_ns(self, clock: Clock) -> int:
        return clock.wall_ns() + self._shift_ns


class _Drifting(_ClockFault):
    """A clock that is wrong by a part of the time since it began to be."""

    def __init__(self, spec: ClockDriftFault, _luck: Luck) -> None:
        super().__init__(spec.kind, spec.frontend, spec.at_ns)
        self._gain = Fraction(spec.percent) / 100

    def _wrong_ns(self, clock: Clock) -> int:
        return clock.wall_ns() + floor((clock.now_ns() - self._at_ns) * self._gain)


class _Frozen(_ClockFault):
    """A clock that shows the time at which it stopped."""

    def __init__(self, spec: ClockFrozenFault, _luck: Luck) -> None:
        super().__init__(spec.kind, spec.frontend, spec.at_ns, spec.lasts_ns)
        self._clock: Clock | None = None
        self._stopped_ns: int | None = None

    def skew(self, frontend: int, clock: Clock) -> Clock:
        """Return a clock that may stop."""
        if frontend == self._frontend:
            self._clock = clock
        return super().skew(frontend, clock)

    async def happen(self, stage: Stage) -> None:
        """Stop the clock."""
        await super().happen(stage)
        if self._clock is not None:
            self._stopped_ns = self._clock.wall_ns()

    def _wrong_ns(self, clock: Clock) -> int:
        # Whoever asks at the very instant, just before it stops, reads the same time.
        return clock.wall_ns() if self._stopped_ns is None else self._stopped_ns


class _Coarse(_ClockFault):
    """A clock that shows whole steps only."""

    def __init__(self, spec: ClockCoarseFault, _luck: Luck) -> None:
        super().__init__(spec.kind, spec.frontend, spec.at_ns)
        self._step_ns = spec.step_ns

    def _wrong_ns(self, clock: Clock) -> int:
        return clock.wall_ns() // self._step_ns * self._step_ns


FAULTS: Mapping[type[Any], Callable[[Any, Luck], Fault]] = {
    ClockOffsetFault: _Shifted,
    ClockDriftFault: _Drifting,
    ClockStepFault: _Shifted,
    ClockFrozenFault: _Frozen,
    ClockCoarseFault: _Coarse,
    ClockZoneFault: _Shifted,
}
