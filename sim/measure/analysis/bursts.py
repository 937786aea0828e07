"""Requests of one model that arrived at the same instant, and how they were spread over its replicas."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sim.measure.analysis.readiness import ReadyTime
from sim.measure.recording.records import MISSING, Integers


@dataclass(frozen=True, slots=True)
class Burst:
    """Two or more routed requests, and at least as many as the replicas that could share them."""

    arrival_ns: int
    counts: Mapping[int, int]
    """How many went to each replica, by replica code, of those that were sent any."""
    sharers: int
    """Replicas that were ready at that instant, and those that it went to."""

    @property
    def even(self) -> float:
        """How many an even split gives to each replica."""
        return sum(self.counts.values()) / self.sharers

    @property
    def max_over_ideal(self) -> float:
        """Requests of the fullest replica over an even share."""
        return max(self.counts.values()) / self.even


def bursts(arrivals_ns: Integers, replicas: Integers, ready: Mapping[int, ReadyTime]) -> list[Burst]:
    """Return the bursts in the order of arrival.

    The two arrays have an entry per request, in the order of arrival: the replica's code, or MISSING for one without a
    route. `ready` tells by replica code when each replica of the model could be picked.
    """
    found = []
    for arrival_ns, codes in _together(arrivals_ns, replicas).items():
        counts = Counter(codes)
        able = {code for code, time in ready.items() if time.touches(arrival_ns, arrival_ns)}
        burst = Burst(arrival_ns, counts, len(able | counts.keys()))
        if len(codes) >= burst.sharers:
            found.append(burst)
    return found


def _together(arrivals_ns: Integers, replicas: Integers) -> Mapping[int, list[int]]:
    """Return the replica codes of the requests that arrived together, by the instant they did."""
    if not np.any(arrivals_ns[1:] == arrivals_ns[:-1]):
        return {}
    routed = replicas != MISSING
    instants, sizes = np.unique(arrivals_ns[routed], return_counts=True)
    together = routed & np.isin(arrivals_ns, instants[sizes > 1])
    by_instant: defaultdict[int, list[int]] = defaultdict(list)
    for arrival_ns, replica in zip(arrivals_ns[together].tolist(), replicas[together].tolist(), strict=True):
        by_instant[arrival_ns].append(replica)
    return by_instant
