"""Control variates: a slightly less loaded queue, of known mean wait, is fed what the system is fed.

Most of what makes one replication's mean differ from another's is the luck of its arrivals and sizes. The same luck
moves the control, whose exact mean is known, so that a regression takes it out (see `estimate`). What is left is what
the router and the backends make of the requests. That arrivals and sizes follow their laws is checked by rows of its
own, without controls: a mistake in them would move system and control alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp
from typing import Protocol

import numpy as np

from sim.study.validate.queueing.recursion import waits_at_one, waits_at_several
from sim.study.validate.queueing.served import Floats, Served
from sim.study.validate.queueing.theory import embedded_root, multi_server_wait

SLACK = 1.05
"""The control has so many times the spare capacity of the system."""

MeanWait = Callable[[float], float]
"""Returns the exact mean wait at one server of the given load, in mean service times."""


def less_loaded(load: float) -> float:
    """Return the load of the control."""
    return 1 - SLACK * (1 - load)


class Control(Protocol):
    """A queue whose mean wait is known."""

    def pace(self, servers: int, workers: int) -> float:
        """Return how many times faster than M/M/1 of the same load the system forgets its start."""

    def deviation(self, served: Served, load: float, capacity: int, mean_wait: MeanWait) -> float:
        """Return the control's mean wait in this replication, in s, less its exact mean."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """One server that is as fast as all of the system together: what is left if routing loses nothing."""

    def pace(self, servers: int, workers: int) -> float:
        """As many times as there are servers, as long as what they share matters more than each one's own queue."""
        return servers * workers

    def deviation(self, served: Served, load: float, capacity: int, mean_wait: MeanWait) -> float:
        """Compare with the queue that the arrivals know."""
        other = less_loaded(load)
        factor = other / load / capacity
        waits_s = waits_at_one(served.arrival_s, served.demand_s * factor)
        return _counted_mean(served, waits_s) - factor * mean_wait(other)

    def work_left(self, served: Served, factor: float, moments_s: Floats) -> Floats:
        """Return the work, in s, that one server which takes `factor` times the demand has left at each moment."""
        _, ends_s = _spells(served, factor)
        last = np.searchsorted(served.arrival_s, moments_s, side="right") - 1
        return np.where(last >= 0, np.maximum(ends_s[last] - moments_s, 0.0), 0.0)

    def rest_of_job(self, served: Served, factor: float, moments_s: Floats) -> Floats:
        """Return how long, in s, such a server goes on with the job that it does at each moment; 0 if it does none."""
        starts_s, ends_s = _spells(served, factor)
        current = np.searchsorted(starts_s, moments_s, side="right") - 1
        return np.where(current >= 0, np.maximum(ends_s[current] - moments_s, 0.0), 0.0)


POOLED = Pooled()


@dataclass(frozen=True, slots=True)
class SeveralWorkers:
    """M/M/c."""

    def pace(self, servers: int, workers: int) -> float:
        """As many times as there are workers."""
        return servers * workers

    def deviation(self, served: Served, load: float, capacity: int, mean_wait: MeanWait) -> float:
        """Compare with Erlang's formula."""
        other = less_loaded(load)
        factor = other / load
        waits_s = waits_at_several(served.arrival_s, served.demand_s * factor, capacity)
        return _counted_mean(served, waits_s) - factor * multi_server_wait(capacity, other)


@dataclass(frozen=True, slots=True)
class SojournAbove:
    """M/M/1: the share of requests that take longer than `limit_s`, for figures of the tail."""

    limit_s: float

    def pace(self, servers: int, workers: int) -> float:
        """One server."""
        return 1.0

    def deviation(self, served: Served, load: float, capacity: int, mean_wait: MeanWait) -> float:
        """Compare with the exponential law of M/M/1."""
        other = less_loaded(load)
        factor = other / load
        _, ends_s = _spells(served, factor)
        sojourns_s = (ends_s - served.arrival_s)[served.counts_from :]
        return float((sojourns_s > self.limit_s).mean()) - exp(-(1 - other) * self.limit_s / factor)


@dataclass(frozen=True, slots=True)
class ByReplica:
    """One server for each replica, with the requests that the router sent it: for routing that looks at no queue."""

    stages: int
    """Each server gets every so many-th arrival: E_n/M/1. 1 where arrivals are Poisson at each."""

    def pace(self, servers: int, workers: int) -> float:
        """Arrivals that are more even are forgotten faster, up to twice."""
        return 2 / (1 + 1 / self.stages)

    def deviation(self, served: Served, load: float, capacity: int, mean_wait: MeanWait) -> float:
        """Compare with E_n/M/1."""
        other = less_loaded(load)
        factor, sigma = other / load, embedded_root(other, self.stages)
        waits_s = np.empty(len(served.arrival_s))
        for replica in np.unique(served.replica):
            own = served.replica == replica
            waits_s[own] = waits_at_one(served.arrival_s[own], served.demand_s[own] * factor)
        return _counted_mean(served, waits_s) - factor * sigma / (1 - sigma)


def _spells(served: Served, factor: float) -> tuple[Floats, Floats]:
    """Return when each job starts and ends at one server that takes `factor` times the demand, in s."""
    demand_s = served.demand_s * factor
    starts_s = served.arrival_s + waits_at_one(served.arrival_s, demand_s)
    return starts_s, starts_s + demand_s


def _counted_mean(served: Served, waits_s: Floats) -> float:
    return float(waits_s[served.counts_from :].mean())
