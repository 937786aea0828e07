"""Requests and processes that had options of their model which somebody had edited by then."""

from collections.abc import Mapping, Sequence

import numpy as np

from sim.measure.recording.events import EDITED, EventKind, are
from sim.measure.recording.records import MISSING, Booleans, Integers, Records, Table
from sim.measure.window import Rows

_NEVER = -1


def edits_ns(records: Records) -> Mapping[str, Sequence[int]]:
    """Return when each model's options were edited, by model and in order; models without an edit are absent."""
    events, subjects = records.events, list(records.subjects)
    which = are(events, EventKind.FAULT_STRUCK) & (events["cause"] == records.causes.get(EDITED, MISSING))
    times_ns: dict[str, list[int]] = {}
    for subject, t_ns in zip(events["subject"][which].tolist(), events["t_ns"][which].tolist(), strict=True):
        times_ns.setdefault(subjects[subject], []).append(t_ns)
    return times_ns


def served_outdated(records: Records, requests: Table | Rows) -> Booleans:
    """Tell of each request whether its service began on a process whose options were older than the last edit.

    A process has the options of the moment at which its last successful load began. Shape (requests,).
    """
    edited_ns = edits_ns(records)
    outdated: Booleans = np.zeros(len(requests["start_ns"]), dtype=bool)
    if not edited_ns:
        return outdated
    loads = _loads(records)
    for code, key in enumerate(records.replicas):
        mine = np.flatnonzero((requests["replica"] == code) & (requests["start_ns"] != MISSING))
        if mine.size and key.model in edited_ns:
            starts_ns = requests["start_ns"][mine]
            begun_ns, ended_ns = np.array(loads.get(code, []), dtype=np.int64).reshape(-1, 2).T
            options_ns = _latest(ended_ns, begun_ns, starts_ns)
            last_edit_ns = _latest(np.array(edited_ns[key.model]), np.array(edited_ns[key.model]), starts_ns)
            outdated[mine] = options_ns < last_edit_ns
    return outdated


def outdated_ns(records: Records, opens_ns: int, end_ns: int) -> int:
    """Return how long processes went on as they were after an edit of their model, summed over the processes.

    A process does so until it ends or loads again.
    """
    if EDITED not in records.causes:
        return 0
    return _outdated_ns(records, opens_ns, end_ns)


def _outdated_ns(records: Records, opens_ns: int, end_ns: int) -> int:
    events, keys, subjects = records.events, list(records.replicas), list(records.subjects)
    edited, total_ns = records.causes[EDITED], 0
    since_ns: dict[int, int] = {}
    running: dict[int, None] = {}
    columns = (events[column].tolist() for column in ("kind", "replica", "cause", "subject", "t_ns"))
    for kind, replica, cause, subject, t_ns in zip(*columns, strict=True):
        if kind == EventKind.ROW_PUBLISHED:
            running[replica] = None
        elif kind in (EventKind.LOAD_STARTED, EventKind.PROCESS_ENDED):
            total_ns += _within(since_ns.pop(replica, t_ns), t_ns, opens_ns, end_ns)
            if kind == EventKind.PROCESS_ENDED:
                running.pop(replica, None)
        elif kind == EventKind.FAULT_STRUCK and cause == edited:
            for code in running:
                if keys[code].model == subjects[subject]:
                    since_ns.setdefault(code, t_ns)
    return total_ns + sum(_within(begun_ns, end_ns, opens_ns, end_ns) for begun_ns in since_ns.values())


def _within(from_ns: int, to_ns: int, opens_ns: int, end_ns: int) -> int:
    return max(0, min(to_ns, end_ns) - max(from_ns, opens_ns))


def _loads(records: Records) -> Mapping[int, Sequence[tuple[int, int]]]:
    """Return when each load that succeeded began and ended, by replica code and in order."""
    events = records.events
    begun_ns: dict[int, int] = {}
    loads: dict[int, list[tuple[int, int]]] = {}
    columns = (events[column].tolist() for column in ("kind", "replica", "cause", "t_ns"))
    for kind, replica, cause, t_ns in zip(*columns, strict=True):
        if kind == EventKind.LOAD_STARTED:
            begun_ns[replica] = t_ns
        elif kind == EventKind.LOAD_ENDED and cause == MISSING and replica in begun_ns:
            loads.setdefault(replica, []).append((begun_ns[replica], t_ns))
    return loads


def _latest(since_ns: Integers, what: Integers, at_ns: Integers) -> Integers:
    """Return which of the values has held since the last of these times, at each instant; -1 before the first."""
    with_none: Integers = np.concatenate(([_NEVER], what))
    return with_none[np.searchsorted(since_ns, at_ns, side="right")]
