"""Where the events of a trace stand: its processes and their threads, by number, each named once.

On one thread, slices must lie inside each other or apart. So those that overlap are shared out among the *lanes* of
what they belong to, and each lane is a thread.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

Event = dict[str, Any]
"""One event of the format, as JSON will have it. `ts` and `dur` are microseconds; three decimals keep nanoseconds."""


def microseconds(time_ns: int) -> float:
    """Return the time in the unit of the format."""
    return time_ns / 1000


@dataclass(frozen=True, slots=True)
class Thread:
    """The numbers that an event names its thread by."""

    pid: int
    tid: int

    def slice(self, name: str, start_ns: int, end_ns: int, **args: Any) -> Event:
        """Return an event that lasts from `start_ns` to `end_ns`."""
        times = {"ts": microseconds(start_ns), "dur": microseconds(end_ns - start_ns)}
        return {"ph": "X", "name": name, "pid": self.pid, "tid": self.tid, **times, "args": args}

    def instant(self, name: str, t_ns: int, **args: Any) -> Event:
        """Return an event without duration."""
        at = {"pid": self.pid, "tid": self.tid, "ts": microseconds(t_ns)}
        return {"ph": "i", "s": "t", "name": name, **at, "args": args}

    def arrow(self, phase: str, flow: int, t_ns: int) -> Event:
        """Return one end of an arrow between slices: phase `s` where a flow starts, `t` on its way, `f` at its end.

        It belongs to the innermost slice of the thread at that time.
        """
        at = {"pid": self.pid, "tid": self.tid, "ts": microseconds(t_ns)}
        ends = {"bp": "e"} if phase == "f" else {}
        return {"ph": phase, "id": flow, "cat": "request", "name": "request", **at, **ends}


@dataclass(slots=True)
class _Lanes:
    """The lanes of one owner."""

    threads: list[Thread] = field(default_factory=list)
    taken: list[tuple[int, int]] = field(default_factory=list)
    """A heap: until when a lane is taken, and its number."""
    free: list[int] = field(default_factory=list)
    """A heap of the numbers of lanes that were taken before."""

    def take(self, start_ns: int, end_ns: int) -> int:
        """Take the first lane that is free from `start_ns` on, and return its number."""
        while self.taken and self.taken[0][0] <= start_ns:
            heappush(self.free, heappop(self.taken)[1])
        number = heappop(self.free) if self.free else len(self.taken)
        heappush(self.taken, (end_ns, number))
        return number


class Tracks:
    """Hands out the processes and threads of one run, numbered in the order in which they are asked for.

    No thread has the number of a process, because a viewer would take it for the main one.
    """

    def __init__(self, number: Callable[[], int]) -> None:
        """`number` returns numbers that nothing else in the trace has, rising."""
        self._number = number
        self._pids: dict[str, int] = {}
        self._lanes: dict[tuple[int, str], _Lanes] = {}
        self._named: list[Event] = []

    def process(self, name: str) -> int:
        """Return the number of the process of that name."""
        pid = self._pids.get(name)
        if pid is None:
            pid = self._pids[name] = self._number()
            self._name("process_name", pid, 0, name=name)
            self._name("process_sort_index", pid, 0, sort_index=pid)
        return pid

    def thread(self, process: str, owner: str) -> Thread:
        """Return the first lane of the owner in the process."""
        return self._lanes_of(process, owner).threads[0]

    def lane(self, process: str, owner: str, start_ns: int, end_ns: int) -> Thread:
        """Return a lane of the owner that is free from `start_ns` on, and take it until `end_ns`.

        Starts must not decrease from call to call of one owner.
        """
        lanes = self._lanes_of(process, owner)
        number = lanes.take(start_ns, end_ns)
        if number == len(lanes.threads):
            lanes.threads.append(self._new_thread(process, f"{owner} ({number + 1})"))
        return lanes.threads[number]

    def names(self) -> Iterator[Event]:
        """Yield the events that name the processes and threads which are new since the last call."""
        yield from self._named
        self._named.clear()

    def _lanes_of(self, process: str, owner: str) -> _Lanes:
        pid = self.process(process)
        lanes = self._lanes.get((pid, owner))
        if lanes is None:
            lanes = self._lanes[pid, owner] = _Lanes()
            lanes.threads.append(self._new_thread(process, owner))
        return lanes

    def _new_thread(self, process: str, name: str) -> Thread:
        pid = self.process(process)
        tid = self._number()
        self._name("thread_name", pid, tid, name=name)
        return Thread(pid, tid)

    def _name(self, what: str, pid: int, tid: int, **args: Any) -> None:
        self._named.append({"ph": "M", "name": what, "pid": pid, "tid": tid, "args": args})
