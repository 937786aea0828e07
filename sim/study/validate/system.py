"""What can be asked of the simulator: a system that is run again and again, and a figure of it."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

Figure = Callable[[Any], float]
"""Takes what a system made of one replication, and returns a figure of it. It can be sent to another process."""


class CannotExpress(Exception):
    """The simulator has nothing that corresponds to an entry; the message says why."""


def figure_named(quantity: str, figures: Mapping[str, Figure]) -> Figure:
    """Return the figure of that name. Raises CannotExpress if there is none."""
    if quantity not in figures:
        raise CannotExpress(f"the quantity {quantity} is not measured")
    return figures[quantity]


class Replication(NamedTuple):
    """What one replication shows."""

    figures: tuple[float, ...]
    """In the order in which they were asked for."""
    controls: tuple[float, ...] = ()
    """Control variates: figures of the drawn arrivals and sizes, less their exact means."""


class Replicated(Hashable, Protocol):
    """Something that is run again and again, independently."""

    @property
    def cost_s(self) -> float:
        """About how many seconds a core takes for a replication."""

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication, the same for the same seed."""


@dataclass(frozen=True, slots=True)
class Level:
    """A part of a system's figures that is replicated by itself. The means of all levels add up to the figures."""

    replicated: Replicated
    fewest: int = 8
    """Replications that tell its spread."""

    @property
    def cost_s(self) -> float:
        """About how many seconds a core takes for the fewest replications."""
        return self.fewest * self.replicated.cost_s


class System(Hashable, Protocol):
    """A model with all its parameters. Equal systems share their replications; they can be sent to other processes."""

    @property
    def load(self) -> float:
        """Offered work over capacity; 0 where that says nothing."""

    @property
    def levels(self) -> Sequence[Level]:
        """What its figures are the sum of."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A system whose figures the simulator gives alone."""

    simulated: Replicated
    load: float = 0.0

    @property
    def levels(self) -> Sequence[Level]:
        """Just the one."""
        return (Level(self.simulated),)


@dataclass(frozen=True, slots=True)
class Question:
    """An entry in terms of the simulator."""

    system: System
    figure: Figure
    scale: float = 1.0
    """What a figure of the system is multiplied by, to be in the unit of the entry."""


def least_cost_s(system: System) -> float:
    """Return about how many seconds a core takes for the fewest replications."""
    return sum(level.cost_s for level in system.levels)
