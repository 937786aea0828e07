"""The laws of arrivals and service times as they are drawn: what control variates take for granted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.routing.units import NS_PER_S
from sim.scenario.plan.plan import make_plan
from sim.study.validate.entry import Entry
from sim.study.validate.families.one_node import SERVICES
from sim.study.validate.queueing.arrivals import POISSON, with_drawn_demand
from sim.study.validate.queueing.served import Floats
from sim.study.validate.queueing.services import EXPONENTIAL, Service
from sim.study.validate.queueing.station import scenario, station_text
from sim.study.validate.system import Figure, Question, Replication, Simulated, figure_named

_DRAWS = 200_000
"""In each replication."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan that nobody runs. Requests come once a second on average, and take a second on average."""

    service: Service

    cost_s: float = 0.025
    """About how many seconds a replication takes."""

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Make a plan."""
        text = station_text(1, f"service: {self.service.text}", "best_replica", POISSON.workload(1.0), _DRAWS)
        plan = with_drawn_demand(make_plan(scenario(text), seed), self.service)
        arrival_s = plan.open["arrival_ns"] / NS_PER_S
        draws = Draws(np.diff(arrival_s), plan.open["demand_ns"] / NS_PER_S)
        return Replication(tuple(figure(draws) for figure in figures))


@dataclass(frozen=True, slots=True)
class Draws:
    """What was drawn, shape (requests,), in s."""

    gaps_s: Floats
    """Between arrivals; one fewer."""
    demand_s: Floats


def mean_gap(draws: Draws) -> float:
    """Return the mean time between arrivals."""
    return float(draws.gaps_s.mean())


def mean_square_gap(draws: Draws) -> float:
    """Return the mean of its square."""
    return float(np.square(draws.gaps_s).mean())


def share_of_long_gaps(draws: Draws) -> float:
    """Return the share of gaps that are longer than three means."""
    return float((draws.gaps_s > 3).mean())


def mean_service(draws: Draws) -> float:
    """Return the mean service time."""
    return float(draws.demand_s.mean())


def mean_square_service(draws: Draws) -> float:
    """Return the mean of its square."""
    return float(np.square(draws.demand_s).mean())


_OF_GAPS: Final[Mapping[str, Figure]] = {
    "mean": mean_gap,
    "mean_square": mean_square_gap,
    "P(X>3)": share_of_long_gaps,
}
_OF_SERVICE: Final[Mapping[str, Figure]] = {"mean": mean_service, "mean_square": mean_square_service}


def gaps(entry: Entry) -> Question:
    """Poisson arrivals: exponential gaps."""
    return Question(Simulated(Drawn(EXPONENTIAL)), figure_named(entry.quantity, _OF_GAPS))


def service(entry: Entry) -> Question:
    """Service times, by the names of M/G/1."""
    drawn = Drawn(entry.one_of("service", SERVICES))
    return Question(Simulated(drawn), figure_named(entry.quantity, _OF_SERVICE))
