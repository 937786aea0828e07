"""First-come queues as recursions over their requests: what the simulator should make of the same arrivals and sizes.

Times are whole or floating, in any unit. A recursion takes a tenth to a hundredth of the simulator's time.
"""

from heapq import heapreplace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Times = NDArray[Any]
"""Of all requests, in the order of arrival."""


def waits_at_one(arrivals: Times, demands: Times) -> Times:
    """Return the waits at one server: Lindley's recursion, W' = max(0, W + S - A), as sum and running minimum."""
    steps = np.zeros_like(demands)
    np.cumsum(demands[:-1] - np.diff(arrivals), out=steps[1:])
    return np.asarray(steps - np.minimum.accumulate(steps))


def waits_at_several(arrivals: Times, demands: Times, workers: int) -> Times:
    """Return the waits at several workers: each request takes the one that is free first (Kiefer and Wolfowitz)."""
    free = [0] * workers
    waits = []
    for arrival, demand in zip(arrivals.tolist(), demands.tolist(), strict=True):
        start = max(arrival, free[0])
        heapreplace(free, start + demand)
        waits.append(start - arrival)
    return np.asarray(waits, dtype=demands.dtype)
