"""As many replications of a system as its figures need to be as exact as is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from typing import NamedTuple

from sim.study.validate.estimate import Estimate, controlled_estimate
from sim.study.validate.system import Figure, Replication, System

CONFIDENCE = 0.999
"""Of the interval of each row."""
_BUSY = 0.95
"""Load from which on intervals may be twice as wide."""
_FURTHER_STAGES = 2
"""The second makes up for a spread that the first replications showed too small."""
_TO_SPARE = 1.2
"""How many times as many replications as the first ones ask for: their spread is only an estimate."""
SKEWNESS = 1.5
"""Factor on the errors of controlled estimates.

What a control leaves is skewed: now and then a long busy period makes a replication. For M/M/1, 0.1 % of the intervals
should miss the true value. Without the factor, 0.5 % did at a load of 0.5 and 2 % at 0.9; with it, 1 of 2400 did.
"""


@dataclass(frozen=True, slots=True)
class Precision:
    """How exact figures are to be, and what it may cost."""

    replications: int
    """At first; there are more if a figure needs them."""
    width: float
    """Largest half interval, relative to the value it is compared with; twice that at a load of 0.95 or more."""
    most_requests: float
    """That may be simulated for one system."""
    fewest: int = 8
    """Replications that make an interval."""

    def at_first(self, system: System) -> int:
        """Return how many replications to begin with; 0 if there cannot be enough."""
        most = int(self.most_requests / system.cost)
        return min(self.replications, most) if most >= self.fewest else 0

    def width_for(self, system: System) -> float:
        """Return the largest half interval for this system's figures, relative to the value."""
        return self.width * (2 if system.load >= _BUSY else 1)


FULL = Precision(replications=14, width=0.01, most_requests=6e5)
QUICK = Precision(replications=8, width=0.1, most_requests=1.8e4)


@dataclass(frozen=True, slots=True)
class Asked:
    """A figure, and the value that it is compared with, both in the system's own unit."""

    figure: Figure
    value: float


class Answer(NamedTuple):
    """What replications say of a figure, in the system's own unit."""

    estimate: Estimate
    replications: int
    needed: int
    """About how many would be enough."""


def answers(system: System, asked: Sequence[Asked], precision: Precision, seed: int) -> list[Answer]:
    """Replicate the system and return an answer to each question.

    What the first replications show decides how many follow (Stein 1945; Law, Simulation Modeling and Analysis, 5th
    ed. 2015, section 9.4.1). A figure that would cost too much is left as the others' replications
    leave it.
    """
    figures = [one.figure for one in asked]
    first = first_seed(system, seed)
    runs = [system.replicate(first + number, figures) for number in range(precision.at_first(system))]
    most = int(precision.most_requests / system.cost)
    for _ in range(_FURTHER_STAGES):
        found = _judged(system, asked, runs, precision)
        wanted = max((one.needed for one in found if one.needed <= most), default=0)
        runs += [system.replicate(first + number, figures) for number in range(len(runs), wanted)]
    return _judged(system, asked, runs, precision)


def first_seed(system: System, seed: int) -> int:
    """Return a first seed that other systems do not share, so that rows are wrong independently of each other."""
    digest = blake2b(f"{seed} {system!r}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "little")


def _judged(system: System, asked: Sequence[Asked], runs: Sequence[Replication], precision: Precision) -> list[Answer]:
    controls, width = [run.controls for run in runs], precision.width_for(system)
    return [
        _answer(_estimate([run.figures[place] for run in runs], controls), len(runs), one.value, width)
        for place, one in enumerate(asked)
    ]


def _estimate(values: Sequence[float], controls: Sequence[Sequence[float]]) -> Estimate:
    estimate = controlled_estimate(values, controls)
    return estimate.stretched(SKEWNESS) if any(controls) else estimate


def _answer(estimate: Estimate, replications: int, value: float, width: float) -> Answer:
    if estimate.error == 0:
        return Answer(estimate, replications, replications)
    times_too_wide = estimate.half_width(CONFIDENCE) / (width * abs(value)) if value else float("inf")
    needed = replications if times_too_wide <= 1 else min(1e9, replications * times_too_wide**2 * _TO_SPARE)
    return Answer(estimate, replications, ceil(needed))
