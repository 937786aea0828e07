"""Figures in two levels: what a recursion makes of many requests, and what the simulator adds to that.

The recursion is much faster. So nearly all of the luck is left to it, and the simulator is run for the mean of its
difference to the recursion, on the same requests and with the same draws of the policy. The sum has the simulator's
mean, whatever the recursion computes. If the two agree to the nanosecond on all requests, nothing is added (M. Giles,
"Multilevel Monte Carlo path simulation", Operations Research 56(3), 2008).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sim.scenario.plan.plan import Plan
from sim.study.validate.system import Figure, Level, Replication

_FEWEST_RECURSIONS = 14
"""Some are spent on the coefficients of the controls."""
_FEWEST_CORRECTIONS = 4
"""If they all come out as 0, more would hardly tell more. Otherwise their spread asks for more."""


class Model(Hashable, Protocol):
    """A system that both the simulator and the recursion can compute.

    Its figures are taken of the outcome, whose type is the model's own.
    """

    @property
    def load(self) -> float:
        """Offered work over capacity; 0 where that says nothing."""

    @property
    def size(self) -> float:
        """About how many requests a replication simulates."""

    @property
    def time_of_request(self) -> float:
        """Of the recursion, in the simulator's time for one."""

    def plan(self, seed: int) -> Plan:
        """Return the requests of a replication, the same for the same seed."""

    def simulated(self, plan: Plan) -> Any:
        """Return what the simulator makes of them."""

    def recursed(self, plan: Plan) -> Any:
        """Return what the recursion makes of them."""

    def controls(self, outcome: Any) -> tuple[float, ...]:
        """Return figures of the outcome's arrivals and sizes, less their exact means."""


@dataclass(frozen=True, slots=True)
class TwoLevels:
    """Such a model as a system."""

    model: Model

    @property
    def load(self) -> float:
        """That of the model."""
        return self.model.load

    @property
    def levels(self) -> Sequence[Level]:
        """The recursion, and the simulator's difference to it."""
        return (
            Level(Recursion(self.model), _FEWEST_RECURSIONS),
            Level(Correction(self.model), _FEWEST_CORRECTIONS),
        )


@dataclass(frozen=True, slots=True)
class Recursion:
    """What the recursion makes of the requests."""

    model: Model

    @property
    def cost(self) -> float:
        """In requests of the simulator."""
        return self.model.size * self.model.time_of_request

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication."""
        outcome = self.model.recursed(self.model.plan(seed))
        return Replication(tuple(figure(outcome) for figure in figures), self.model.controls(outcome))


@dataclass(frozen=True, slots=True)
class Correction:
    """What the simulator makes of the requests, less what the recursion does."""

    model: Model

    @property
    def cost(self) -> float:
        """All requests pass through the simulator."""
        return self.model.size

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication."""
        plan = self.model.plan(seed)
        simulated, expected = self.model.simulated(plan), self.model.recursed(plan)
        return Replication(tuple(figure(simulated) - figure(expected) for figure in figures))
