"""How far the stored in-flight counts are from the truth.

The drift of a count is the number of places that requests hold on the replica less the stored count. A place is one
pick, or one start of a call, that the routing code will give back. The two numbers differ after a row is deleted under
running requests, published again, or decremented at 0, and when a count is lost on its way or left behind. Until then
they are equal, so nothing has to be counted twice.
"""

from collections.abc import Container
from dataclasses import dataclass

from sim.routing.ports import Clock
from sim.routing.replica import ReplicaKey


@dataclass(slots=True)
class Drift:
    """Number of holders that the row of a key does not count, since when, and the integral so far."""

    missing: int = 0
    since_ns: int = 0
    total_ns: int = 0


class Drifts:
    """The drift of each key's count, and its integral over the times when the key has a row."""

    def __init__(self, clock: Clock, rows: Container[ReplicaKey]) -> None:
        """`rows` are the keys that have a row now."""
        self._clock = clock
        self._rows = rows
        self._by_key: dict[ReplicaKey, Drift] = {}

    def add(self, key: ReplicaKey, missing: int) -> None:
        """Note that the row counts so many places less than are held; below 0 for more."""
        self.settle(key).missing += missing

    def missing(self) -> int:
        """Return how many places are held that no row counts, less those that are counted and not held."""
        return sum(drift.missing for drift in self._by_key.values())

    def integral_ns(self) -> int:
        """Return the time integral of |stored count - holders| up to now, over the times when a row existed."""
        return sum(self.settle(key).total_ns for key in list(self._by_key))

    def settle(self, key: ReplicaKey) -> Drift:
        """Add the time up to now to the integral, as must be done before the key gets a row or loses it."""
        drift = self._by_key.setdefault(key, Drift())
        now_ns = self._clock.now_ns()
        if key in self._rows:
            drift.total_ns += abs(drift.missing) * (now_ns - drift.since_ns)
        drift.since_ns = now_ns
        return drift
