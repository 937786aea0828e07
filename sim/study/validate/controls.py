"""Control variates: a slightly less loaded queue, of known mean wait, is fed what the system is fed.

Most of what makes one replication's mean differ from another's is the luck of its arrivals and sizes. The same luck
moves the control, whose exact mean is known, so that a regression takes it out (see `estimate`). What is left is what
the router and the backends make of the requests. That arrivals and sizes follow their laws is checked by rows of its
own, without controls: a mistake in them would move system and control alike.
"""

from heapq import heapify, heapreplace
from typing import Literal

import numpy as np

from sim.study.validate.served import Floats, Served

SLACK = 1.05
"""The control has so many times the spare capacity of the system."""

Shape = Literal["pooled", "each", "none"]
"""One queue for all servers together, one for each with the requests that it was sent, or no queue."""


def less_loaded(load: float) -> float:
    """Return the load of the control."""
    return 1 - SLACK * (1 - load)


def pooled_wait(served: Served, factor: float, workers: int) -> float:
    """Return the mean wait of the requests that count, at `workers` servers that take `factor` times the demand."""
    demand_s = served.demand_s * factor
    waits_s = _single(served.arrival_s, demand_s) if workers == 1 else _several(served.arrival_s, demand_s, workers)
    return float(waits_s[served.counts_from :].mean())


def wait_by_replica(served: Served, factor: float) -> float:
    """Return the mean wait of the requests that count, at one such server for each replica that was chosen."""
    waits_s = np.empty(len(served.arrival_s))
    for replica in np.unique(served.replica):
        own = served.replica == replica
        waits_s[own] = _single(served.arrival_s[own], served.demand_s[own] * factor)
    return float(waits_s[served.counts_from :].mean())


def _single(arrival_s: Floats, demand_s: Floats) -> Floats:
    """Return the waits at one server: Lindley's recursion, W' = max(0, W + S - A), as sum and running minimum."""
    steps = np.concatenate([[0.0], np.cumsum(demand_s[:-1] - np.diff(arrival_s))])
    return np.asarray(steps - np.minimum.accumulate(steps))


def _several(arrival_s: Floats, demand_s: Floats, workers: int) -> Floats:
    """Return the waits at several servers: each request takes the one that is free first (Kiefer and Wolfowitz)."""
    free_s = [0.0] * workers
    heapify(free_s)
    waits_s = []
    for arrival, demand in zip(arrival_s.tolist(), demand_s.tolist(), strict=True):
        start = max(arrival, free_s[0])
        heapreplace(free_s, start + demand)
        waits_s.append(start - arrival)
    return np.asarray(waits_s)
