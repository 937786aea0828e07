"""The kinds of event, and what the one integer that is recorded with an event, its flag, means for each of them."""

from collections.abc import Mapping
from enum import Enum, IntEnum
from typing import Protocol

import numpy as np

from sim.measure.recording.records import MISSING, Booleans, Integers, Records
from sim.routing.fleet import NodeStatus
from sim.routing.outcomes import ProbeOutcome


class EventKind(IntEnum):
    """What happened to a row of the registry, a backend process, a node, a model's replicas, or to anything at all."""

    ROW_PUBLISHED = 0
    ROW_REMOVED = 1
    INSTALL_STARTED = 2
    LOAD_STARTED = 3
    LOAD_ENDED = 4
    NODE_CHANGED = 5
    SCALED = 6
    FAULT_STRUCK = 7
    PROCESS_ENDED = 8
    CHECK_ENDED = 9
    CALL_RETRIED = 10
    BLOCKS_RECALLED = 11
    BLOCKS_READ = 12
    PROMPT_LOST = 13


class Flag(Enum):
    """What a flag says."""

    PROCESS_ALIVE = "process_alive"
    """1 if the process of the removed row was alive, else 0."""
    REDUNDANT = "redundant"
    """1 if the process that is asked for was running, or held the model that it is to load; else 0."""
    STATUS = "status"
    """What the registry takes the node for, as its place in `NODE_STATUSES`."""
    SCALED_BY = "scaled_by"
    """How many replicas the model is to have more, or fewer."""
    BLOCKS = "blocks"
    """So many blocks of the request's prompt."""


FLAG_OF: Mapping[EventKind, Flag] = {
    EventKind.ROW_REMOVED: Flag.PROCESS_ALIVE,
    EventKind.INSTALL_STARTED: Flag.REDUNDANT,
    EventKind.LOAD_STARTED: Flag.REDUNDANT,
    EventKind.NODE_CHANGED: Flag.STATUS,
    EventKind.SCALED: Flag.SCALED_BY,
    EventKind.BLOCKS_RECALLED: Flag.BLOCKS,
    EventKind.BLOCKS_READ: Flag.BLOCKS,
}
"""The meaning of the flag by kind; events of other kinds have none."""

NODE_STATUSES = tuple(NodeStatus)

CRASHED = "crashed"
"""The cause of a process's end when its node went with it."""
ADDED = "scale_up"
"""The cause of a row's publication when the reconciler had the replica loaded."""
TAKEN_AWAY = "idle"
"""The cause of a row's removal when the reconciler found one replica too many."""
EDITED = "model_edit"
"""The cause of a fault that edits a model's options; its subject is the model."""
EVICTED = "evicted"
"""The cause of a row's removal when another model took its place."""


class Columns(Protocol):
    """The table of events, or some of its rows."""

    def __getitem__(self, column: str) -> Integers:
        """Return the column of that name, shape (rows,)."""


def status_flag(status: NodeStatus) -> int:
    """Return the flag that stands for a node's status."""
    return NODE_STATUSES.index(status)


def check_cause(outcome: ProbeOutcome) -> str:
    """Return the cause of an event that says how a liveness check has ended."""
    return outcome.name.lower()


def are(events: Columns, kind: EventKind) -> Booleans:
    """Tell of each event whether it is of the kind; shape (rows,)."""
    which: Booleans = events["kind"] == kind
    return which


def happened(records: Records, events: Columns, kind: EventKind, cause: str) -> int:
    """Count the events of the kind that had this cause."""
    code = records.causes.get(cause)
    return 0 if code is None else int(np.count_nonzero(are(events, kind) & (events["cause"] == code)))


def has(events: Columns, flag: Flag) -> Booleans:
    """Tell of each event whether it has a flag of that meaning; shape (rows,)."""
    return np.isin(events["kind"], [kind for kind, meaning in FLAG_OF.items() if meaning is flag])


def values(events: Columns, flag: Flag) -> Integers:
    """Return the flags of that meaning, and MISSING for every event that has none; shape (rows,)."""
    return np.where(has(events, flag), events["flag"], MISSING)
