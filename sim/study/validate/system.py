"""What can be asked of the simulator: a system that is run again and again, and a figure of it."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

Figure = Callable[[Any], float]
"""Takes what a system made of one replication, and returns a figure of it. It can be sent to another process."""


class CannotExpress(Exception):
    """The simulator has nothing that corresponds to an entry; the message says why."""


class Replication(NamedTuple):
    """What one replication shows."""

    figures: tuple[float, ...]
    """In the order in which they were asked for."""
    controls: tuple[float, ...]
    """Control variates: figures of the drawn arrivals and sizes, less their exact means."""


class System(Hashable, Protocol):
    """A model with all its parameters. Equal systems share their replications; they can be sent to other processes."""

    @property
    def load(self) -> float:
        """Offered work over capacity; 0 where that says nothing."""

    @property
    def cost(self) -> float:
        """About how many requests a replication simulates."""

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication, the same for the same seed."""


@dataclass(frozen=True, slots=True)
class Question:
    """An entry in terms of the simulator."""

    system: System
    figure: Figure
    scale: float = 1.0
    """What a figure of the system is multiplied by, to be in the unit of the entry."""
