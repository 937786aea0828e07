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
_FEWEST_CORRECTIONS = 2
"""Each compares thousands of requests one by one. If both are 0, more would hardly tell more; else they differ, and
their spread asks for more.
"""


class Model(Hashable, Protocol):
    """A system that both the simulator and the recursion can compute.

    Its figures are taken of the outcome, whose type is the model's own.
    """

    @property
    def load(self) -> float:
        """Offered work over capacity; 0 where that says nothing."""

    @property
    def simulation_s(self) -> float:
        """About how many seconds the simulator takes for a replication."""

    @property
    def recursion_s(self) -> float:
        """About how many seconds the recursion takes for it."""

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
    def cost_s(self) -> float:
        """That of the recursion."""
        return self.model.recursion_s

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication."""
        outcome = self.model.recursed(self.model.plan(seed))
        return Replication(tuple(figure(outcome) for figure in figures), self.model.controls(outcome))


@dataclass(frozen=True, slots=True)
class Correction:
    """What the simulator makes of the requests, less what the recursion does."""

    model: Model

    @property
    def cost_s(self) -> float:
        """Both compute all requests."""
        return self.model.simulation_s + self.model.recursion_s

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication."""
        plan = self.model.plan(seed)
        simulated, expected = self.model.simulated(plan), self.model.recursed(plan)
        return Replication(tuple(figure(simulated) - figure(expected) for figure in figures))
