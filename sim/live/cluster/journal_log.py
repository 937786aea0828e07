"""The events of a live run, kept as entries by each process and replayed in order into one recorder.

Each frontend process keeps a log of its own and hands it over when it has finished. On one machine all of them read
the same monotonic clock, so the entries of several logs fall into one order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from sim.routing.journal import JournalRelay
from sim.routing.ports import Clock, Journal
from sim.routing.request import Request


@dataclass(frozen=True, slots=True)
class Entry:
    """One call of the journal: its time, its name and its arguments."""

    t_ns: int
    what: str
    args: tuple[Any, ...]


class JournalLog(JournalRelay):
    """A Journal that keeps everything."""

    def __init__(self, clock: Clock) -> None:
        self.entries: list[Entry] = []
        self._clock = clock

    def _tell(self, what: str, *args: Any) -> None:
        self.entries.append(Entry(self._clock.now_ns(), what, args))


class EntryClock:
    """Shows the time of the entry that is being told."""

    def __init__(self) -> None:
        self.t_ns = 0

    def now_ns(self) -> int:
        """Return the time of the entry."""
        return self.t_ns

    wall_ns = now_ns


def merged(logs: Sequence[Sequence[Entry]]) -> list[Entry]:
    """Return the entries of all logs in order of time, with the requests numbered in order of arrival.

    Each log numbers its own requests from 0. Ties go by log, then by place in it.
    """
    ranked = [
        (entry.t_ns, log, place, entry) for log, entries in enumerate(logs) for place, entry in enumerate(entries)
    ]
    ranked.sort(key=lambda entry: entry[:3])
    next_id = count()
    numbers: dict[tuple[int, int], int] = {}
    for _, log, _, entry in ranked:
        if entry.what == "arrived":
            numbers[log, entry.args[0].id] = next(next_id)

    def renumbered(log: int, entry: Entry) -> Entry:
        args = tuple(replace(arg, id=numbers[log, arg.id]) if isinstance(arg, Request) else arg for arg in entry.args)
        return Entry(entry.t_ns, entry.what, args)

    return [renumbered(log, entry) for _, log, _, entry in ranked]


def tell_again(entries: Iterable[Entry], journal: Journal, clock: EntryClock) -> None:
    """Repeat the entries to another journal, whose clock shows the time of each."""
    for entry in entries:
        clock.t_ns = entry.t_ns
        getattr(journal, entry.what)(*entry.args)
