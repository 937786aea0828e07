"""What a frontend shows its policy of a list of replicas that it has read some time ago, in four ways.

Old figures mislead: whoever takes the least loaded of the last reading sends everything there until the next one
(M. Mitzenmacher, "How useful is old information?", IEEE TPDS 11(1), 2000). The ways differ in what they add.
"""

from collections.abc import Collection, Sequence

from sim.routing.policies.choose import Choose
from sim.routing.replica import NULL, Replica, ReplicaKey


class Snapshot:
    """Shows the figures as they were read, until the next reading. Whoever was the least loaded gets everything."""

    def __init__(self, rows: Sequence[Replica]) -> None:
        """Take the rows over; they are listed by id. Of two rows of a replica, the first is what its counts go to."""
        self._rows: dict[ReplicaKey, Replica] = {}
        for row in rows:
            self._rows.setdefault(row.key, row)

    def pick(self, choose: Choose) -> Replica | None:
        """Return the row that the policy takes; None if it takes none, or if there is none."""
        return choose(self._eligible(choose.nodes))

    def used(self, key: ReplicaKey, wall_ns: int) -> None:
        """Hear that this frontend sends a request to the replica."""

    def counted(self, key: ReplicaKey, change: int) -> None:
        """Hear that this frontend has added so much to the replica's count, or taken it if it is negative."""

    def drop(self, key: ReplicaKey) -> None:
        """Take the replica off the list, if it is there."""
        self._rows.pop(key, None)

    def _eligible(self, nodes: Collection[str]) -> list[Replica]:
        return [row for row in self._rows.values() if not nodes or row.key.node in nodes]


class OwnSends(Snapshot):
    """Adds what this frontend has sent since the reading. What has ended since is seen at the next reading."""

    def used(self, key: ReplicaKey, wall_ns: int) -> None:
        """Set the row's last use."""
        if (row := self._rows.get(key)) is not None:
            row.last_used_ns = wall_ns

    def counted(self, key: ReplicaKey, change: int) -> None:
        """Add to the row, but take nothing from it."""
        if change > 0 and (row := self._rows.get(key)) is not None:
            row.in_flight = _counted(row.in_flight, change)


class OwnInFlight(OwnSends):
    """Also takes off what has ended since. Only the requests of other frontends are as old as the reading."""

    def counted(self, key: ReplicaKey, change: int) -> None:
        """Add to the row, or take from it, down to 0."""
        if (row := self._rows.get(key)) is not None:
            row.in_flight = _counted(row.in_flight, change)


class Rotating(Snapshot):
    """Goes round: the policy puts the rows in order, by the figures as they were read, and each has its turn."""

    def __init__(self, rows: Sequence[Replica]) -> None:
        super().__init__(rows)
        self._waiting: dict[ReplicaKey, None] = {}
        """The replicas that have had a turn, oldest turn first."""

    def pick(self, choose: Choose) -> Replica | None:
        """Return the policy's choice among those without a turn yet; otherwise who has waited longest for another."""
        rows = self._eligible(choose.nodes)
        chosen = choose([row for row in rows if row.key not in self._waiting])
        if chosen is None:
            eligible = {row.key: row for row in rows}
            chosen = next((eligible[key] for key in self._waiting if key in eligible), None)
        if chosen is not None:
            self._waiting.pop(chosen.key, None)
            self._waiting[chosen.key] = None
        return chosen


def _counted(in_flight: int, change: int) -> int:
    """Return what the row's own column would hold after the change."""
    return NULL if in_flight == NULL else max(0, in_flight + change)
