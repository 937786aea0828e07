"""What became of a replication's requests, and the figures that are taken of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sim.routing.units import NS_PER_S

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Columns(Protocol):
    """A table of requests."""

    def __getitem__(self, name: str, /) -> NDArray[np.int64]:
        """Return a column."""


@dataclass(frozen=True, slots=True)
class Served:
    """All requests in the order of arrival, shape (requests,), times in seconds."""

    arrival_s: Floats
    start_s: Floats
    end_s: Floats
    demand_s: Floats
    replica: NDArray[np.int64]
    counts_from: int
    """The first request that counts: those before it belong to the warm-up."""

    @classmethod
    def of(cls, columns: Columns, warmup_s: float) -> Self:
        """Read the columns of a table of requests; those that arrive in the warm-up do not count."""
        arrival_s, start_s, end_s, demand_s = (
            columns[name] / NS_PER_S for name in ("arrival_ns", "start_ns", "end_ns", "demand_ns")
        )
        first = int(np.searchsorted(arrival_s, warmup_s))
        return cls(arrival_s, start_s, end_s, demand_s, np.array(columns["replica"]), first)

    @property
    def waits_s(self) -> Floats:
        """From arrival to start, of those that count."""
        return (self.start_s - self.arrival_s)[self.counts_from :]

    @property
    def sojourns_s(self) -> Floats:
        """From arrival to end, of those that count."""
        return (self.end_s - self.arrival_s)[self.counts_from :]

    @property
    def size_deviation(self) -> float:
        """Mean demand of those that count, less its exact mean of 1 s."""
        return float(self.demand_s[self.counts_from :].mean()) - 1


def mean_wait(served: Served) -> float:
    """Return the mean time before service, in s."""
    return float(served.waits_s.mean())


def mean_sojourn(served: Served) -> float:
    """Return the mean time from arrival to end, in s."""
    return float(served.sojourns_s.mean())


def share_that_waits(served: Served) -> float:
    """Return the share of requests that find no free worker."""
    return float((served.waits_s > 0).mean())


@dataclass(frozen=True, slots=True)
class WaitAbove:
    """The share of requests that wait longer than `limit_s`."""

    limit_s: float

    def __call__(self, served: Served) -> float:
        """Return it."""
        return float((served.waits_s > self.limit_s).mean())


def waits(served: Served) -> Floats:
    """Return the times before service, in s."""
    return served.waits_s


def sojourns(served: Served) -> Floats:
    """Return the times from arrival to end, in s."""
    return served.sojourns_s


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile of waits or sojourns, found from how many are above `near_s`, a value close to it.

    A replication's own percentile is biased: rare long queues make it. The share above a value is not, and by the
    density there it says how far off the value is (Bahadur, Annals of Mathematical Statistics 37, 1966).
    """

    times: Callable[[Served], Floats]
    near_s: float
    above: float
    """Share of the requests above the percentile."""
    density_per_s: float
    """Of the times at the value."""

    def __call__(self, served: Served) -> float:
        """Return it, in s."""
        return self.near_s + (float((self.times(served) > self.near_s).mean()) - self.above) / self.density_per_s


@dataclass(frozen=True, slots=True)
class FindAtLeast:
    """The share of requests that find at least so many others in the system, as any moment does (PASTA, Wolff 1982)."""

    others: int

    def __call__(self, served: Served) -> float:
        """Return it."""
        ended = np.searchsorted(np.sort(served.end_s), served.arrival_s, side="right")
        found = np.arange(len(served.arrival_s)) - ended
        return float((found[served.counts_from :] >= self.others).mean())
