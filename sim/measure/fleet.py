"""The fleet as a whole, from the events: rows without a process, models short of replicas, nodes found dead."""

from collections.abc import Mapping

import numpy as np

from sim.measure.records import NODE_STATUSES, EventKind, Integers, Records
from sim.routing.states import NodeStatus

_OFFLINE = NODE_STATUSES.index(NodeStatus.OFFLINE)

CRASHED = "crashed"
"""The cause of a process's end when its node went with it."""


def stale_ns(records: Records, opens_ns: int, end_ns: int) -> int:
    """Return how long rows could be picked while their process was there no longer, summed over the rows."""
    stale = _Intervals()
    for kind, replica, t_ns in _rows_and_processes(records):
        if kind == EventKind.PROCESS_ENDED:
            stale.open(replica, t_ns)
        else:
            stale.close(replica, t_ns)
    published = _published(records)
    return sum(
        _overlap_ns(interval, row, opens_ns, end_ns)
        for replica, intervals in stale.until(end_ns).items()
        for interval in intervals
        for row in published.until(end_ns).get(replica, [])
    )


def below_minimum_ns(records: Records, minimums: Mapping[str, int], opens_ns: int, end_ns: int) -> int:
    """Return how long models had fewer replicas to serve than they should, summed over the models in `minimums`.

    A replica serves while it has a row and its process is there.
    """
    return sum(_below_ns(records, model, least, opens_ns, end_ns) for model, least in minimums.items())


def detections_ns(records: Records) -> list[int]:
    """Return, for each crash of a node that was found out, how long that took; in order."""
    events, found = records.events, []
    crashed_at: dict[str, int] = {}
    keys, subjects = list(records.replicas), list(records.subjects)
    crash = records.causes.get(CRASHED)
    rows = zip(
        *(events[column].tolist() for column in ("kind", "replica", "cause", "flag", "subject", "t_ns")), strict=True
    )
    for kind, replica, cause, flag, subject, t_ns in rows:
        if kind == EventKind.PROCESS_ENDED and cause == crash:
            crashed_at.setdefault(keys[replica].node, t_ns)
        elif kind == EventKind.NODE_CHANGED and flag == _OFFLINE and subjects[subject] in crashed_at:
            found.append(t_ns - crashed_at.pop(subjects[subject]))
    return found


class _Intervals:
    """For each replica, the times between an opening and the next closing."""

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._closed: dict[int, list[tuple[int, int]]] = {}

    def open(self, replica: int, t_ns: int) -> None:
        self._open.setdefault(replica, t_ns)

    def close(self, replica: int, t_ns: int) -> None:
        if replica in self._open:
            self._closed.setdefault(replica, []).append((self._open.pop(replica), t_ns))

    def until(self, end_ns: int) -> dict[int, list[tuple[int, int]]]:
        """Return them all, those still open as ending then."""
        intervals = {replica: list(closed) for replica, closed in self._closed.items()}
        for replica, since_ns in self._open.items():
            intervals.setdefault(replica, []).append((since_ns, end_ns))
        return intervals


def _published(records: Records) -> _Intervals:
    published = _Intervals()
    for kind, replica, t_ns in _rows_and_processes(records):
        if kind == EventKind.ROW_PUBLISHED:
            published.open(replica, t_ns)
        elif kind == EventKind.ROW_REMOVED:
            published.close(replica, t_ns)
    return published


def _serving(records: Records) -> _Intervals:
    serving = _Intervals()
    for kind, replica, t_ns in _rows_and_processes(records):
        if kind == EventKind.ROW_PUBLISHED:
            serving.open(replica, t_ns)
        else:
            serving.close(replica, t_ns)
    return serving


def _rows_and_processes(records: Records) -> list[tuple[int, int, int]]:
    events = records.events
    kinds = (EventKind.ROW_PUBLISHED, EventKind.ROW_REMOVED, EventKind.PROCESS_ENDED)
    which = np.isin(events["kind"], kinds)
    columns = (events[column][which].tolist() for column in ("kind", "replica", "t_ns"))
    return list(zip(*columns, strict=True))


def _overlap_ns(one: tuple[int, int], other: tuple[int, int], opens_ns: int, end_ns: int) -> int:
    return max(0, min(one[1], other[1], end_ns) - max(one[0], other[0], opens_ns))


def _below_ns(records: Records, model: str, least: int, opens_ns: int, end_ns: int) -> int:
    keys = list(records.replicas)
    intervals = [
        interval
        for replica, of_replica in _serving(records).until(end_ns).items()
        if keys[replica].model == model
        for interval in of_replica
    ]
    edges: Integers = np.unique(np.clip([opens_ns, end_ns, *sum(intervals, ())], opens_ns, end_ns))
    return sum(
        later - earlier
        for earlier, later in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        if sum(start <= earlier < stop for start, stop in intervals) < least
    )
