"""How the health monitor reads heartbeats and probes: LocalAI's way, and a repaired one."""

from typing import Protocol

from sim.routing.control_plane.streaks import Streaks
from sim.routing.fleet import Fleet, Node, ReplicaRow
from sim.routing.outcomes import ProbeOutcome
from sim.routing.replica import ReplicaKey


class Monitoring(Protocol):
    """One frontend's reading. It remembers how many probes in a row have missed."""

    def begin_pass(self, fleet: Fleet, now_ns: int) -> None:
        """Begin a pass over this reading of the registry, made at this wall time."""

    def heartbeat_age_ns(self, node: Node, now_ns: int) -> int:
        """Return how long the node has been silent. `now_ns` is the wall time at which the pass comes to the node."""

    def misses(self, row: ReplicaRow, outcome: ProbeOutcome) -> int:
        """Note how a probe of the row ended, and return how many in a row have missed by now."""

    def forget(self, row: ReplicaRow) -> None:
        """Start the row's count of misses again."""


class EveryMiss:
    """LocalAI's way: a busy replica counts as dead.

    Misses are counted by key, so a new row inherits those of the row before it. A node that a long pass reaches late
    is taken for silent if its heartbeat was old by then, though it may have sent another since the pass began.
    """

    __slots__ = ("_streaks",)

    def __init__(self) -> None:
        self._streaks: Streaks[ReplicaKey] = Streaks()

    def begin_pass(self, fleet: Fleet, now_ns: int) -> None:
        """Keep all counts."""

    def heartbeat_age_ns(self, node: Node, now_ns: int) -> int:
        """Return the age of the heartbeat that was read, as of now."""
        return now_ns - node.heartbeat_ns

    def misses(self, row: ReplicaRow, outcome: ProbeOutcome) -> int:
        """Count whatever is not a success."""
        if outcome is not ProbeOutcome.OK:
            return self._streaks.extend(row.key)
        self._streaks.end(row.key)
        return 0

    def forget(self, row: ReplicaRow) -> None:
        """Start the count of the row's key again."""
        self._streaks.end(row.key)


class BusyIsAlive:
    """The repaired way: a probe without an answer in time says nothing, neither for the replica nor against it.

    Misses are counted by row, so a new row starts without any. Heartbeats are judged as of the reading, so a long
    pass makes no node look silent.
    """

    __slots__ = ("_read_ns", "_streaks")

    def __init__(self) -> None:
        self._read_ns = 0
        self._streaks: Streaks[str] = Streaks()

    def begin_pass(self, fleet: Fleet, now_ns: int) -> None:
        """Keep the counts of rows that still exist."""
        self._read_ns = now_ns
        self._streaks.keep_only(row.id for row in fleet.rows)

    def heartbeat_age_ns(self, node: Node, now_ns: int) -> int:
        """Return the heartbeat's age when it was read."""
        return self._read_ns - node.heartbeat_ns

    def misses(self, row: ReplicaRow, outcome: ProbeOutcome) -> int:
        """Count refusals, and leave the count as it is after a timeout."""
        if outcome is ProbeOutcome.FAILED:
            return self._streaks.extend(row.id)
        if outcome is ProbeOutcome.OK:
            self._streaks.end(row.id)
        return self._streaks.length(row.id)

    def forget(self, row: ReplicaRow) -> None:
        """Start the row's count again."""
        self._streaks.end(row.id)
