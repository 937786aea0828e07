"""What a run has recorded: tables of 64-bit integers, one per kind of fact, and the names behind their codes.

A name (model, replica, cause, address) is stored once and stands in the tables as a small code, numbered in the order
of first use. Times are whole nanoseconds. A missing figure is `MISSING`.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from sim.routing.replica import ReplicaKey
from sim.routing.request import COLUMNS

MISSING = -1
"""Stands in a table for a figure that was never recorded."""

Name = TypeVar("Name")
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


class Codes(dict[Name, int]):
    """The code of each name. Looking up a new name gives it the next free code, from 0."""

    def __missing__(self, name: Name) -> int:
        """Number the name; the dict keeps names in the order of their codes."""
        code = self[name] = len(self)
        return code


class Table:
    """Rows of integers under named columns.

    `cells` holds row after row, because a run appends rows and a row packed at once costs a third of as many appends.
    """

    def __init__(self, *columns: str) -> None:
        self.columns = columns
        self.cells = array("q")

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.cells) // len(self.columns)

    def append(self, *row: int) -> None:
        """Add a row: one integer per column, in their order."""
        self.cells.extend(row)

    def as_little_endian(self) -> memoryview:
        """Return all cells as bytes, row after row."""
        if sys.byteorder == "little":
            return memoryview(self.cells).cast("B")
        swapped = self.cells[:]
        swapped.byteswap()
        return memoryview(swapped).cast("B")

    def __getitem__(self, column: str) -> Integers:
        """Return a column, shape (rows,), without a copy.

        The table cannot grow while the result is in use: Python refuses it with a BufferError. Raises ValueError if
        there is no such column.
        """
        first = self.columns.index(column)
        if not self.cells:
            return np.empty(0, dtype=np.int64)
        return np.frombuffer(self.cells, dtype=np.int64)[first :: len(self.columns)]


def _requests() -> Table:
    times = ("routed_ns", "start_ns", "first_token_ns", "served_ns", "end_ns")
    return Table(*COLUMNS, *times, "outcome", "cause", "replica")


def _picks() -> Table:
    return Table("seq", "t_ns", "request", "replica", "address", "in_flight", "last_used_ns", "source", "alive")


def _probes() -> Table:
    return Table("seq", "request", "replica", "address", "start_ns", "end_ns", "outcome", "process_alive")


def _events() -> Table:
    return Table("seq", "t_ns", "kind", "replica", "address", "request", "cause", "flag", "subject")


def _lock_waits() -> Table:
    return Table("seq", "wait_ns")


@dataclass(frozen=True, slots=True)
class Records:
    """Everything recorded in one run. `seq` runs through all tables that have it, in the order of recording."""

    requests: Table = field(default_factory=_requests)
    """One row per request; the row number is the request's id."""
    picks: Table = field(default_factory=_picks)
    """One row per choice of the registry: the load and last use it read, then what vouched for the replica."""
    probes: Table = field(default_factory=_probes)
    """One row per probe that has ended; `process_alive` is the world's truth at that moment.

    `request` is missing if a background loop sent it.
    """
    events: Table = field(default_factory=_events)
    """One row per event.

    What `flag` means depends on the kind: see `sim.measure.recording.events`. `subject` names what an event is about
    if that is not a replica: a node, a model, or whatever a fault struck.
    """
    lock_waits: Table = field(default_factory=_lock_waits)
    """One row per registry transaction that waited for a lock."""
    models: Codes[str] = field(default_factory=Codes)
    replicas: Codes[ReplicaKey] = field(default_factory=Codes)
    causes: Codes[str] = field(default_factory=Codes)
    addresses: Codes[str] = field(default_factory=Codes)
    subjects: Codes[str] = field(default_factory=Codes)

    def digest(self) -> str:
        """Return 32 hex digits that are the same for the same records, on any machine.

        BLAKE2b (RFC 7693) with 16 bytes of output, over every table (the names of its columns, then its rows as
        little-endian 64-bit integers, in the order of recording) and then over the names in the order of their codes.
        """
        hasher = blake2b(digest_size=16)
        for chunk in self._chunks():
            # The length before each chunk keeps two different sequences of chunks from reading the same.
            hasher.update(len(chunk).to_bytes(8, "little"))
            hasher.update(chunk)
        return hasher.hexdigest()

    def _chunks(self) -> Iterator[bytes | memoryview]:
        for title in ("requests", "picks", "probes", "events", "lock_waits"):
            table: Table = getattr(self, title)
            yield f"{title}: {' '.join(table.columns)}".encode()
            yield table.as_little_endian()
        yield from _name_chunks("models", ((name,) for name in self.models))
        yield from _name_chunks("replicas", self.replicas)
        yield from _name_chunks("causes", ((name,) for name in self.causes))
        yield from _name_chunks("addresses", ((name,) for name in self.addresses))
        yield from _name_chunks("subjects", ((name,) for name in self.subjects))


def _name_chunks(title: str, names: Iterable[tuple[str | int, ...]]) -> Iterator[bytes]:
    yield title.encode()
    for name in names:
        for part in name:
            yield str(part).encode()
