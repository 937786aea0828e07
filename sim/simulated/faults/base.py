"""What a fault may do to a world: change what a frontend sees of it, or act on it at a given time."""

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from sim.routing.clients import Serve
from sim.routing.ports import Clock, FrontendPorts
from sim.scenario import FaultSpec
from sim.simulated.parts import Parts


class SomeSpec(Protocol):
    """The spec of any fault."""

    @property
    def kind(self) -> str:
        """Name of the kind."""


class LastingSpec(SomeSpec, Protocol):
    """The spec of a fault that holds for a part of the run."""

    @property
    def at_ns(self) -> int:
        """When it begins."""

    @property
    def lasts_ns(self) -> int | None:
        """How long it lasts; to the end of the run if it is None."""


Spec = TypeVar("Spec", bound=SomeSpec)
Lasting = TypeVar("Lasting", bound=LastingSpec)


class Fault(Generic[Spec]):
    """One entry of a scenario's `faults`, at work. A subclass overrides what it needs; the rest changes nothing."""

    def __init__(self, spec: Spec, parts: Parts, luck: "Luck") -> None:
        self.spec = spec
        self.parts = parts
        self.luck = luck

    def skew(self, frontend: int, clock: Clock) -> Clock:
        """Return the clock that the frontend of this index goes by."""
        return clock

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Return the ports of the frontend of this index. It is called again when the frontend restarts."""
        return ports

    def around_serve(self, frontend: int, serve: Serve) -> Serve:
        """Return what clients of the frontend of this index call."""
        return serve

    async def happen(self) -> None:
        """Act on the world. This starts with the run, in the background, and waits for the fault's time itself."""

    def struck(self, place: str) -> None:
        """Tell the journal that the fault took effect at this place."""
        self.parts.journal.fault_struck(self.spec.kind, place)

    async def sleep_until(self, time_ns: int) -> None:
        """Wait until this time of the run. Return at once if it has passed."""
        runtime = self.parts.runtime
        await runtime.sleep(max(0, time_ns - runtime.now_ns()))


class LastingFault(Fault[Lasting]):
    """A fault that holds from the time `at` for as long as it `lasts`."""

    def __init__(self, spec: Lasting, parts: Parts, luck: "Luck") -> None:
        super().__init__(spec, parts, luck)
        self._active = ActiveTime(spec.at_ns, spec.lasts_ns)

    def is_active(self) -> bool:
        return self._active.holds(self.parts.runtime.now_ns())


class ActiveTime:
    """The part of a run during which a fault holds, the first instant included and the last one not."""

    __slots__ = ("_begins_ns", "_ends_ns")

    def __init__(self, begins_ns: int, lasts_ns: int | None) -> None:
        """Without `lasts_ns` the fault holds to the end of the run."""
        self._begins_ns = begins_ns
        self._ends_ns = None if lasts_ns is None else begins_ns + lasts_ns

    def holds(self, now_ns: int) -> bool:
        return self._begins_ns <= now_ns and (self._ends_ns is None or now_ns < self._ends_ns)


class Luck:
    """The random draws of one fault, from a stream of its own."""

    __slots__ = ("_generator",)

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def strikes(self, rate: float) -> bool:
        """Return True with this probability. A rate of 0 or 1 draws nothing."""
        return rate >= 1 or (rate > 0 and self._generator.random() < rate)

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to below `limit`, uniformly."""
        return int(self._generator.integers(limit))

    def exponential_ns(self, mean_ns: int) -> int:
        """Return an exponentially distributed time."""
        return round(self._generator.exponential(mean_ns))

    def shuffled(self, count: int) -> list[int]:
        """Return the numbers from 0 to below `count` in random order."""
        return [int(number) for number in self._generator.permutation(count)]


EFFECTS: dict[type[FaultSpec], type[Fault[Any]]] = {}
"""The effect of each kind of spec that has been imported."""

Effect = TypeVar("Effect", bound=type[Fault[Any]])


def effect_of(*specs: type[FaultSpec]) -> Callable[[Effect], Effect]:
    """Register a class as the effect of these kinds of spec."""

    def register(effect: Effect) -> Effect:
        EFFECTS.update(dict.fromkeys(specs, effect))
        return effect

    return register
