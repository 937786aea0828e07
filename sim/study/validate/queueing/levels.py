"""A station's figures in two levels: what a recursion makes of many requests, and what the simulator adds to that.

The recursion is much faster. So nearly all of the luck is left to it, and the simulator is run for the mean of its
difference to the recursion, on the same requests and with the same draws of the policy. The sum has the simulator's
mean, whatever the recursion computes. If the two agree to the nanosecond on all requests, nothing is added (M. Giles,
"Multilevel Monte Carlo path simulation", Operations Research 56(3), 2008).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.scenario.plan.plan import Plan
from sim.study.validate.queueing.arrivals import POISSON
from sim.study.validate.queueing.controls import less_loaded
from sim.study.validate.queueing.dispatch import Picks, Servers, fresh_figures
from sim.study.validate.queueing.recursion import Times, waits_at_one, waits_at_several
from sim.study.validate.queueing.served import Served
from sim.study.validate.queueing.station import Station, recorded
from sim.study.validate.system import Figure, Level, Replication

_COST_OF_DISPATCH = 0.15
_COST_OF_ONE_QUEUE = 0.03
"""Of a request in a recursion, over that of one in the simulator."""


@dataclass(frozen=True, slots=True)
class FirstCome:
    """A station as a system."""

    station: Station

    @property
    def load(self) -> float:
        """Of each server."""
        return self.station.load

    @property
    def levels(self) -> Sequence[Level]:
        """The recursion, and the simulator's difference to it."""
        return (Recursion(self.station), Correction(self.station))


@dataclass(frozen=True, slots=True)
class Recursion:
    """What the recursion makes of the requests."""

    station: Station

    @property
    def cost(self) -> float:
        """Queues with a router in front take longer."""
        return self.station.requests * (_COST_OF_DISPATCH if self.station.servers > 1 else _COST_OF_ONE_QUEUE)

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication."""
        served = recursed(self.station, self.station.plan(seed))
        return Replication(tuple(figure(served) for figure in figures), _controls(self.station, served))


@dataclass(frozen=True, slots=True)
class Correction:
    """What the simulator makes of the requests, less what the recursion does."""

    station: Station

    @property
    def cost(self) -> float:
        """All requests pass through the simulator."""
        return self.station.requests

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication."""
        plan = self.station.plan(seed)
        served, expected = simulated(self.station, plan), recursed(self.station, plan)
        return Replication(tuple(figure(served) - figure(expected) for figure in figures))


def simulated(station: Station, plan: Plan) -> Served:
    """Return what the simulator makes of the requests."""
    return Served.of(recorded(plan).requests, station.warmup_s)


def recursed(station: Station, plan: Plan) -> Served:
    """Return what becomes of the requests if servers are first come, first served, and nothing else takes time."""
    arrival_ns, demand_ns = plan.open["arrival_ns"], plan.open["demand_ns"]
    if station.servers > 1:
        start_ns, server = _dispatched(station, plan)
    elif station.workers > 1:
        start_ns = arrival_ns + waits_at_several(arrival_ns, demand_ns, station.workers)
        server = np.zeros_like(start_ns)
    else:
        start_ns = arrival_ns + waits_at_one(arrival_ns, demand_ns)
        server = np.zeros_like(start_ns)
    columns = {
        "arrival_ns": arrival_ns,
        "start_ns": start_ns,
        "end_ns": start_ns + demand_ns,
        "demand_ns": demand_ns,
        "replica": server,
    }
    return Served.of(columns, station.warmup_s)


def _dispatched(station: Station, plan: Plan) -> tuple[Times, Times]:
    """Return when each request starts, and at which server."""
    servers, picks = Servers(station.servers), Picks(plan.scenario, plan.seed)
    server_for = (
        fresh_figures(servers, picks) if station.figures is None else station.figures.dispatcher(servers, picks)
    )
    starts_ns, chosen = [], []
    for arrival_ns, demand_ns in zip(plan.open["arrival_ns"].tolist(), plan.open["demand_ns"].tolist(), strict=True):
        server = server_for(arrival_ns)
        starts_ns.append(servers.take(server, arrival_ns, demand_ns))
        chosen.append(server)
    return np.asarray(starts_ns, dtype=np.int64), np.asarray(chosen, dtype=np.int64)


def _controls(station: Station, served: Served) -> tuple[float, ...]:
    """Return how far the mean size, the number of arrivals and the mean wait of a known queue are from their means."""
    sizes = (float(served.demand_s[served.counts_from :].mean()) - 1,) if station.service.is_random else ()
    arrivals = len(served.arrival_s) - served.counts_from - station.rate_per_s * station.observed_s
    counts = (float(arrivals),) if station.arrivals == POISSON else ()
    if less_loaded(station.load) <= 0:
        return (*sizes, *counts)
    queue = station.control.deviation(
        served,
        station.load,
        station.servers * station.workers,
        lambda load: station.arrivals.mean_wait(load, station.service),
    )
    return (*sizes, *counts, queue)
