"""What the processes of a live run tell about it, kept as entries and told again, in order, to one recorder.

Each frontend process keeps a log of its own and hands it over when it has finished. On one machine all of them read
the same monotonic clock, so the entries of several logs fall into one order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from sim.routing.outcomes import Answer, Outcome, ProbeOutcome
from sim.routing.ports import Clock, Journal
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from sim.routing.states import NodeStatus


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was told: when, which call of the journal, and with what."""

    t_ns: int
    what: str
    args: tuple[Any, ...]


class JournalLog:
    """A Journal that keeps everything."""

    def __init__(self, clock: Clock) -> None:
        self.entries: list[Entry] = []
        self._clock = clock

    def arrived(self, request: Request) -> None:
        """Keep it."""
        self._keep("arrived", request)

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """Keep it."""
        self._keep("picked", request, replica, remembered)

    def vouched(self, request: Request, answer: Answer) -> None:
        """Keep it."""
        self._keep("vouched", request, answer)

    def probed(self, request: Request, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome) -> None:
        """Keep it."""
        self._keep("probed", request, key, address, started_ns, outcome)

    def routed(self, request: Request, key: ReplicaKey) -> None:
        """Keep it."""
        self._keep("routed", request, key)

    def served_from(self, request: Request) -> None:
        """Keep it."""
        self._keep("served_from", request)

    def first_token(self, request: Request, at_ns: int) -> None:
        """Keep it."""
        self._keep("first_token", request, at_ns)

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        """Keep it."""
        self._keep("ended", request, outcome, cause)

    def row_published(self, key: ReplicaKey, cause: str) -> None:
        """Keep it."""
        self._keep("row_published", key, cause)

    def row_removed(self, key: ReplicaKey, address: str, cause: str, request: Request | None) -> None:
        """Keep it."""
        self._keep("row_removed", key, address, cause, request)

    def install_started(self, key: ReplicaKey, redundant: bool) -> None:
        """Keep it."""
        self._keep("install_started", key, redundant)

    def load_started(self, key: ReplicaKey, redundant: bool) -> None:
        """Keep it."""
        self._keep("load_started", key, redundant)

    def load_ended(self, key: ReplicaKey, failure: str) -> None:
        """Keep it."""
        self._keep("load_ended", key, failure)

    def lock_waited(self, wait_ns: int) -> None:
        """Keep it."""
        self._keep("lock_waited", wait_ns)

    def process_ended(self, key: ReplicaKey, address: str, cause: str) -> None:
        """Keep it."""
        self._keep("process_ended", key, address, cause)

    def node_changed(self, node: str, status: NodeStatus, cause: str) -> None:
        """Keep it."""
        self._keep("node_changed", node, status, cause)

    def scaled(self, model: str, replicas: int, cause: str) -> None:
        """Keep it."""
        self._keep("scaled", model, replicas, cause)

    def fault_struck(self, kind: str, place: str) -> None:
        """Keep it."""
        self._keep("fault_struck", kind, place)

    def _keep(self, what: str, *args: Any) -> None:
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
    """Return the entries of all logs in the order of time, with the requests numbered anew in the order they arrived.

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
    """Tell the entries to another journal, whose clock shows the time of each."""
    for entry in entries:
        clock.t_ns = entry.t_ns
        getattr(journal, entry.what)(*entry.args)
