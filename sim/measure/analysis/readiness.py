"""When each replica could be picked, from the events of its row, and how much of that time it worked."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sim.measure.recording.events import EventKind
from sim.measure.recording.records import MISSING, Booleans, Integers, Records, Table
from sim.measure.window import Rows

_NEVER = np.iinfo(np.int64).max
_ZERO = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class ReadyTime:
    """The times between a row's publication and its removal: `starts[i] <= t < stops[i]`, in ns and in order."""

    starts: Integers
    stops: Integers
    """The last stop is the largest integer if the row is still there."""

    def touches(self, opens_ns: int, closes_ns: int) -> bool:
        """Tell whether the replica was ready at some time from `opens_ns` to `closes_ns`, both included."""
        return bool(np.any((self.starts <= closes_ns) & (self.stops > opens_ns)))

    def is_ready(self, t_ns: Integers) -> Booleans:
        """Tell whether the replica was ready at each instant; same shape."""
        last = np.searchsorted(self.starts, t_ns, side="right") - 1
        begun: Booleans = last >= 0
        return begun & (t_ns < self.stops[last]) if self.stops.size else begun

    def up_to(self, t_ns: Integers) -> Integers:
        """Return the ready time that had passed at each instant, in ns; same shape as `t_ns`."""
        # The first interval of no length stands for "before any other".
        starts, stops = np.concatenate((_ZERO, self.starts)), np.concatenate((_ZERO, self.stops))
        lengths_before = np.concatenate((_ZERO, np.cumsum(stops - starts)[:-1]))
        last = np.searchsorted(self.starts, t_ns, side="right")
        passed: Integers = lengths_before[last] + np.minimum(t_ns, stops[last]) - starts[last]
        return passed


@dataclass(frozen=True, slots=True)
class ReplicaUse:
    """One replica's time in a window, in ns. Service counts once per request, so k at once count k times."""

    ready_ns: int
    busy_ns: int
    busy_while_ready_ns: int
    """Without the service that went on after the row was removed."""

    def utilization(self, workers: int = 1) -> float | None:
        """Return the part of its ready time that each worker served; None if it was never ready."""
        return self.busy_while_ready_ns / (self.ready_ns * workers) if self.ready_ns else None


def service_ends_ns(requests: Table | Rows) -> Integers:
    """Return when the service of each request ended; MISSING while it goes on. Shape (requests,).

    Where a backend has not told of it, that is when the client saw the end.
    """
    served_ns, ends_ns = requests["served_ns"], requests["end_ns"]
    return np.where(served_ns == MISSING, ends_ns, served_ns)


def ready_times(records: Records) -> dict[int, ReadyTime]:
    """Return the ready time of every replica that had a row, by replica code in ascending order."""
    events = records.events
    edges: dict[int, list[tuple[int, int]]] = {}
    open_since: dict[int, int] = {}
    rows = zip(events["kind"].tolist(), events["replica"].tolist(), events["t_ns"].tolist(), strict=True)
    for kind, replica, t_ns in rows:
        if kind == EventKind.ROW_PUBLISHED:
            edges.setdefault(replica, [])
            open_since.setdefault(replica, t_ns)  # written in place of a row that is there, it stays ready
        elif kind == EventKind.ROW_REMOVED and replica in open_since:
            edges[replica].append((open_since.pop(replica), t_ns))
    for replica, since_ns in open_since.items():
        edges[replica].append((since_ns, _NEVER))
    return {replica: _ready_time(edges[replica]) for replica in sorted(edges)}


def replica_use(
    records: Records, ready: Mapping[int, ReadyTime], opens_ns: int, closes_ns: int, end_ns: int
) -> dict[int, ReplicaUse]:
    """Return each replica's use from `opens_ns` to `closes_ns`, by replica code in ascending order.

    Counts the service of every request, whenever it arrived; one still in service at `end_ns`, the end of the run, is
    counted up to there.
    """
    requests = records.requests
    rows = np.flatnonzero(requests["start_ns"] != MISSING)
    rows = rows[np.argsort(requests["replica"][rows], kind="stable")]
    ends = service_ends_ns(requests)[rows]
    ends = np.clip(np.where(ends == MISSING, end_ns, ends), opens_ns, closes_ns)
    starts = np.clip(requests["start_ns"][rows], opens_ns, closes_ns)
    replicas = requests["replica"][rows]
    codes = sorted(ready.keys() | set(np.unique(replicas).tolist()))
    edges = np.searchsorted(replicas, [*codes, _NEVER]).tolist()
    return {
        code: _use(ready.get(code, _ready_time([])), starts[first:stop], ends[first:stop], opens_ns, closes_ns)
        for code, (first, stop) in zip(codes, pairwise(edges), strict=True)
    }


def _use(ready: ReadyTime, starts: Integers, ends: Integers, opens_ns: int, closes_ns: int) -> ReplicaUse:
    ready_at_open, ready_at_close = ready.up_to(np.array([opens_ns, closes_ns])).tolist()
    return ReplicaUse(
        ready_ns=ready_at_close - ready_at_open,
        busy_ns=int(np.sum(ends - starts)),
        busy_while_ready_ns=int(np.sum(ready.up_to(ends) - ready.up_to(starts))),
    )


def _ready_time(intervals: list[tuple[int, int]]) -> ReadyTime:
    starts, stops = zip(*intervals, strict=True) if intervals else ((), ())
    return ReadyTime(np.array(starts, dtype=np.int64), np.array(stops, dtype=np.int64))
