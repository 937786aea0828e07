"""The fleet as a whole, from the events: rows without a process or the reverse, too few replicas, nodes found dead."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from sim.measure.analysis.readiness import ReadyTime
from sim.measure.recording.events import CRASHED, EventKind, Flag, are, status_flag, values
from sim.measure.recording.records import Booleans, Integers, Records
from sim.routing.fleet import NodeStatus


def stale_ns(records: Records, ready: Mapping[int, ReadyTime], opens_ns: int, end_ns: int) -> int:
    """Return how long rows could be picked while their process was there no longer, summed over the rows.

    `ready` tells when they could be picked, by replica code.
    """
    stale_ns = 0
    for replica, spells in _spells(records, are(records.events, EventKind.PROCESS_ENDED), end_ns).items():
        if replica in ready:
            passed = ready[replica].up_to(np.clip(spells, opens_ns, end_ns))
            stale_ns += int(np.sum(passed[:, 1] - passed[:, 0]))
    return stale_ns


def orphaned_ns(records: Records, opens_ns: int, end_ns: int) -> int:
    """Return how long processes went on after their rows had been deleted, summed over the processes.

    A process is an orphan no longer when its replica gets a row again.
    """
    left_behind: Booleans = values(records.events, Flag.PROCESS_ALIVE) == 1
    by_process = _spells(records, left_behind, end_ns).values()
    edges: Integers = np.clip([spell for spells in by_process for spell in spells], opens_ns, end_ns).reshape(-1, 2)
    return int(np.sum(edges[:, 1] - edges[:, 0]))


def below_minimum_ns(records: Records, minimums: Mapping[str, int], opens_ns: int, end_ns: int) -> int:
    """Return how long models had fewer replicas to serve than they should, summed over the models in `minimums`.

    A replica serves while it has a row and its process is there.
    """
    keys = list(records.replicas)
    serving: dict[str, list[tuple[int, int]]] = {model: [] for model in minimums}
    for replica, spells in _spells(records, are(records.events, EventKind.ROW_PUBLISHED), end_ns).items():
        serving.get(keys[replica].model, []).extend(spells)
    return sum(_below_ns(serving[model], least, opens_ns, end_ns) for model, least in minimums.items())


def detections_ns(records: Records) -> list[int]:
    """Return, for each crash of a node that was found out, how long that took; in order."""
    events, found = records.events, []
    crashed_at: dict[str, int] = {}
    keys, subjects = list(records.replicas), list(records.subjects)
    crash = records.causes.get(CRASHED)
    columns = (events[column].tolist() for column in ("kind", "replica", "cause", "subject", "t_ns"))
    went_offline = (values(events, Flag.STATUS) == status_flag(NodeStatus.OFFLINE)).tolist()
    for offline, kind, replica, cause, subject, t_ns in zip(went_offline, *columns, strict=True):
        if kind == EventKind.PROCESS_ENDED and cause == crash:
            crashed_at.setdefault(keys[replica].node, t_ns)
        elif offline and subjects[subject] in crashed_at:
            found.append(t_ns - crashed_at.pop(subjects[subject]))
    return found


def _spells(records: Records, opening: Booleans, end_ns: int) -> dict[int, list[tuple[int, int]]]:
    """Return each replica's spells: from an opening event to the next event of its row or process that opens none.

    `opening` marks the opening events; shape (events,).
    """
    events = records.events
    which = np.isin(events["kind"], (EventKind.ROW_PUBLISHED, EventKind.ROW_REMOVED, EventKind.PROCESS_ENDED))
    columns = (column[which].tolist() for column in (opening, events["replica"], events["t_ns"]))
    since_ns: dict[int, int] = {}
    spells: dict[int, list[tuple[int, int]]] = {}
    for opens, replica, t_ns in zip(*columns, strict=True):
        if opens:
            since_ns.setdefault(replica, t_ns)
        elif replica in since_ns:
            spells.setdefault(replica, []).append((since_ns.pop(replica), t_ns))
    for replica, begun_ns in since_ns.items():
        spells.setdefault(replica, []).append((begun_ns, end_ns))
    return spells


def _below_ns(serving: list[tuple[int, int]], least: int, opens_ns: int, end_ns: int) -> int:
    edges: Integers = np.unique(np.clip([opens_ns, end_ns, *sum(serving, ())], opens_ns, end_ns))
    return sum(
        later - earlier
        for earlier, later in pairwise(edges.tolist())
        if sum(start <= earlier < stop for start, stop in serving) < least
    )
