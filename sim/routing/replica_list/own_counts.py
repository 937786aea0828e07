"""How many places one frontend holds on the replicas of a model, and how many of them the registry's rows count."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.routing.registry import RowChange
from sim.routing.replica import Replica, ReplicaKey


@dataclass(slots=True)
class _Places:
    held: int = 0
    written: int = 0
    """How many of them the row counts."""
    row_id: str = ""
    """Of that row; empty as long as it has not been read."""
    is_used: bool = False
    """Whether a request was sent there since the last exchange."""

    @property
    def is_active(self) -> bool:
        """Whether a place is held or written, or the replica was used since the last exchange."""
        return bool(self.held or self.written or self.is_used)

    @property
    def has_change(self) -> bool:
        """Whether the row is to hear of something."""
        return bool(self.row_id) and (self.held != self.written or self.is_used)


class OwnCounts:
    """Goes by replica, so that a replica that gets a new row keeps the requests that run on it."""

    def __init__(self) -> None:
        self._places: defaultdict[ReplicaKey, _Places] = defaultdict(_Places)

    def add(self, key: ReplicaKey, count: int) -> None:
        """Hold so many places more, or fewer if it is negative."""
        self._places[key].held += count

    def use(self, key: ReplicaKey) -> None:
        """Note that a request is sent there."""
        self._places[key].is_used = True

    def is_active(self) -> bool:
        """Return whether a place is held or written, or a replica was used since the last exchange."""
        return any(places.is_active for places in self._places.values())

    def has_changes(self) -> bool:
        """Return whether a row is to hear of something."""
        return any(places.has_change for places in self._places.values())

    def unwritten(self) -> Mapping[ReplicaKey, int]:
        """Return how many places more each replica has than its row counts, where that is not 0."""
        changes = {key: places.held - places.written for key, places in self._places.items()}
        return {key: change for key, change in changes.items() if change}

    def take_changes(self) -> dict[str, RowChange]:
        """Return what the rows should hear, by row id. `written` or `failed` has to follow."""
        changes = {}
        for places in self._places.values():
            if places.has_change:
                changes[places.row_id] = RowChange(places.held - places.written, places.is_used)
                places.is_used = False
        return changes

    def written(self, changes: Mapping[str, RowChange], rows: Sequence[Replica]) -> None:
        """Hear that the changes were committed, and what rows there are now that may be picked."""
        for places in self._changed(changes):
            places.written += changes[places.row_id].added
        ids = {row.id for row in rows}
        for row in rows:
            places = self._places[row.key]
            # A replica may have a second row, and the counts are not to move there as long as the first one is left.
            if places.row_id not in ids:
                places.row_id, places.written = row.id, 0
        listed = {row.key for row in rows}
        # A row that may not be picked for a while still counts what was written into it.
        for key, places in list(self._places.items()):
            if key not in listed and not places.is_active:
                del self._places[key]

    def failed(self, changes: Mapping[str, RowChange], is_certain: bool) -> None:
        """Hear that the changes were not committed, or only perhaps.

        If they may have been committed, decrements count as made. Making one twice would leave the row's count too low,
        which is worse than too high.
        """
        for places in self._changed(changes):
            change = changes[places.row_id]
            places.is_used |= change.is_used
            if change.added < 0 and not is_certain:
                places.written += change.added

    def _changed(self, changes: Mapping[str, RowChange]) -> list[_Places]:
        return [places for places in self._places.values() if places.row_id in changes]
