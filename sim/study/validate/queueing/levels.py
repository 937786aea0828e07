"""Figures of first-come queues in two levels: what a recursion makes of many requests, and what the simulator adds.

The recursion is much faster. So nearly all of the luck is left to it, and the simulator is run for the mean of its
difference to the recursion, on the same requests and with the same draws of the policy. The sum has the simulator's
mean, whatever the recursion computes. If the two agree to the nanosecond on all requests, nothing is added (M. Giles,
"Multilevel Monte Carlo path simulation", Operations Research 56(3), 2008).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sim.scenario.plan.plan import Plan
from sim.study.validate.queueing.dispatch import OldFigures, Picks, Servers, fresh_figures
from sim.study.validate.queueing.recursion import Times, waits_at_one, waits_at_several
from sim.study.validate.queueing.served import Served
from sim.study.validate.queueing.station import recorded
from sim.study.validate.system import Figure, Level, Replication

_COST_OF_DISPATCH = 0.15
_COST_OF_ONE_QUEUE = 0.03
"""Of a request in a recursion, over that of one in the simulator."""


class Queues(Hashable, Protocol):
    """Equal servers, each first come, first served, and what is asked of them."""

    @property
    def load(self) -> float:
        """Of each server; 0 where that says nothing."""

    @property
    def servers(self) -> int:
        """Replicas."""

    @property
    def workers(self) -> int:
        """Of each server; one if there are several servers."""

    @property
    def figures(self) -> OldFigures | None:
        """What the policy sees; None for each server as it is."""

    @property
    def warmup_s(self) -> float:
        """Requests that arrive in it do not count."""

    @property
    def size(self) -> float:
        """About how many requests a replication has."""

    def plan(self, seed: int) -> Plan:
        """Return the requests of a replication, the same for the same seed."""

    def controls(self, served: Served) -> tuple[float, ...]:
        """Return how far known figures of the arrivals and sizes are from their exact means."""


@dataclass(frozen=True, slots=True)
class FirstCome:
    """Such queues as a system."""

    queues: Queues

    @property
    def load(self) -> float:
        """Of each server."""
        return self.queues.load

    @property
    def levels(self) -> Sequence[Level]:
        """The recursion, and the simulator's difference to it."""
        return (Recursion(self.queues), Correction(self.queues))


@dataclass(frozen=True, slots=True)
class Recursion:
    """What the recursion makes of the requests."""

    queues: Queues

    @property
    def cost(self) -> float:
        """Queues with a router in front take longer."""
        return self.queues.size * (_COST_OF_DISPATCH if self.queues.servers > 1 else _COST_OF_ONE_QUEUE)

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication."""
        served = recursed(self.queues, self.queues.plan(seed))
        return Replication(tuple(figure(served) for figure in figures), self.queues.controls(served))


@dataclass(frozen=True, slots=True)
class Correction:
    """What the simulator makes of the requests, less what the recursion does."""

    queues: Queues

    @property
    def cost(self) -> float:
        """All requests pass through the simulator."""
        return self.queues.size

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication."""
        plan = self.queues.plan(seed)
        served, expected = simulated(self.queues, plan), recursed(self.queues, plan)
        return Replication(tuple(figure(served) - figure(expected) for figure in figures))


def simulated(queues: Queues, plan: Plan) -> Served:
    """Return what the simulator makes of the requests."""
    return Served.of(recorded(plan).requests, queues.warmup_s)


def recursed(queues: Queues, plan: Plan) -> Served:
    """Return what becomes of the requests if servers are first come, first served, and nothing else takes time."""
    arrival_ns, demand_ns = plan.open["arrival_ns"], plan.open["demand_ns"]
    if queues.servers > 1:
        start_ns, server = _dispatched(queues, plan)
    elif queues.workers > 1:
        start_ns = arrival_ns + waits_at_several(arrival_ns, demand_ns, queues.workers)
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
    return Served.of(columns, queues.warmup_s)


def _dispatched(queues: Queues, plan: Plan) -> tuple[Times, Times]:
    """Return when each request starts, and at which server."""
    servers, picks = Servers(queues.servers), Picks(plan.scenario, plan.seed)
    server_for = fresh_figures(servers, picks) if queues.figures is None else queues.figures.dispatcher(servers, picks)
    starts_ns, chosen = [], []
    for arrival_ns, demand_ns in zip(plan.open["arrival_ns"].tolist(), plan.open["demand_ns"].tolist(), strict=True):
        server = server_for(arrival_ns)
        starts_ns.append(servers.take(server, arrival_ns, demand_ns))
        chosen.append(server)
    return np.asarray(starts_ns, dtype=np.int64), np.asarray(chosen, dtype=np.int64)
