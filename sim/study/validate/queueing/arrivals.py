"""Arrivals at a station: how a scenario makes them, and what theory says of one queue that they feed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.routing.units import NS_PER_S
from sim.scenario.plan.plan import OpenRequests, Plan
from sim.scenario.plan.streams import stream
from sim.study.validate.queueing.services import Service
from sim.study.validate.queueing.theory import embedded_root, pollaczek_khinchine


class Arrivals(Protocol):
    """Requests from outside."""

    @property
    def burstiness(self) -> float:
        """Variance of the work that arrives, relative to Poisson arrivals: longer runs are needed where it is large."""

    def workload(self, rate_per_s: float) -> str:
        """Return the workload of a scenario."""

    def replanned(self, plan: Plan, rate_per_s: float) -> Plan:
        """Return the plan with these arrivals, where the scenario cannot write them."""

    def mean_wait(self, load: float, service: Service) -> float:
        """Return the exact mean wait at one first-come server of this load, in mean service times."""


@dataclass(frozen=True, slots=True)
class Poisson:
    """Independent arrivals."""

    burstiness: float = 1.0

    def workload(self, rate_per_s: float) -> str:
        """Return the workload of a scenario."""
        return f"{{kind: poisson, model: m, rate: {rate_per_s!r}/s}}"

    def replanned(self, plan: Plan, rate_per_s: float) -> Plan:
        """Return the plan: it is as it should be."""
        return plan

    def mean_wait(self, load: float, service: Service) -> float:
        """Return the figure of Pollaczek and Khinchine."""
        return pollaczek_khinchine(load, service.mean_square)


POISSON = Poisson()


@dataclass(frozen=True, slots=True)
class Even:
    """Arrivals at equal distances."""

    burstiness: float = 0.5

    def workload(self, rate_per_s: float) -> str:
        """Return the workload of a scenario."""
        return f"{{kind: uniform, model: m, rate: {rate_per_s!r}/s}}"

    def replanned(self, plan: Plan, rate_per_s: float) -> Plan:
        """Return the plan: it is as it should be."""
        return plan

    def mean_wait(self, load: float, service: Service) -> float:
        """Return the figure of D/M/1: sigma/(1 - sigma). The service has to be exponential."""
        sigma = embedded_root(load, None)
        return sigma / (1 - sigma)


@dataclass(frozen=True, slots=True)
class Batches:
    """Requests that come in groups, the groups independently of each other."""

    size: int
    """Mean number of requests in a group."""
    is_geometric: bool = False
    """Whether groups differ, with a geometric number from 1 on; else all are of the same size."""

    @property
    def burstiness(self) -> float:
        """E[X^2]/E[X] and the variance of the service, over that of single arrivals."""
        return (self._members_met + 1) / 2

    @property
    def _members_met(self) -> float:
        """E[X^2]/E[X]: the mean size of the group that a request comes in."""
        return 2 * self.size - 1 if self.is_geometric else self.size

    def workload(self, rate_per_s: float) -> str:
        """Return a workload of as many requests, whose arrivals are then changed."""
        return POISSON.workload(rate_per_s)

    def replanned(self, plan: Plan, rate_per_s: float) -> Plan:
        """Return the plan with whole groups only, as many as its requests fill."""
        count = len(plan.open)
        generator = stream(plan.seed, "validate", "0", "batches")
        sizes = generator.geometric(1 / self.size, count) if self.is_geometric else np.full(count, self.size)
        groups = int(np.searchsorted(np.cumsum(sizes), count, side="right"))
        gaps_s = generator.standard_exponential(groups) * self.size / rate_per_s
        times_ns = np.rint(np.cumsum(gaps_s) * NS_PER_S).astype(np.int64)
        return with_columns(plan, {"arrival_ns": np.repeat(times_ns, sizes[:groups])})

    def mean_wait(self, load: float, service: Service) -> float:
        """Return the wait of the group, and that for members of one's own group that are served before."""
        own = (self._members_met - 1) / 2
        return pollaczek_khinchine(load, service.mean_square) + own / (1 - load)


def with_columns(plan: Plan, columns: Mapping[str, NDArray[Any]]) -> Plan:
    """Return the plan with some columns of its open requests replaced, and cut to the length of the shortest."""
    count = min(len(plan.open), *map(len, columns.values()))
    merged = {name: column[:count] for name, column in {**plan.open.columns, **columns}.items()}
    return Plan(plan.scenario, plan.seed, OpenRequests(merged, plan.open.models, plan.open.patience_ns))


def with_drawn_demand(plan: Plan, service: Service) -> Plan:
    """Return the plan with service times that the scenario cannot draw; as it is, if it can."""
    if service.draw is None:
        return plan
    demand_s = service.draw(stream(plan.seed, "validate", "0", "demand"), len(plan.open))
    return with_columns(plan, {"demand_ns": np.rint(demand_s * NS_PER_S).astype(np.int64)})
