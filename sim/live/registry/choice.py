"""Which of a model's rows one pick wants: in Python, what the pick's statement says in SQL."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sim.routing.replica import Replica, ReplicaKey, pick_best_replica


class Choice(NamedTuple):
    """What the caller of a pick asks for."""

    model: str
    candidates: Collection[str] = ()
    """Nodes whose rows count; none for any node."""
    preferred: ReplicaKey | None = None
    """Taken whatever its load, if it is among the rows."""

    def best(self, rows: Iterable[Replica]) -> Replica | None:
        """Return the row to take, given the model's loaded rows on healthy nodes by id; None if none is left."""
        among = [row for row in rows if not self.candidates or row.key.node in self.candidates]
        preferred = next((row for row in among if row.key == self.preferred), None)
        return preferred or pick_best_replica(among)
