"""Writes down what each pick was made from: which replicas, and their figures as it saw them.

That is a row for each replica of each pick, far more than all else that a run records. So a run is told to somebody who
writes it down only if that is wanted, perhaps when the run is made a second time.
"""

from collections.abc import Sequence

from sim.measure.recording.records import Codes, Table
from sim.observer import Observer
from sim.routing.outcomes import Answer
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request


def choice_table() -> Table:
    """Return a table for choices, empty.

    Its columns: `pick`, the row's number in the table of picks, from 0 and never falling; `replica`, one that could be
    chosen, as its code; `in_flight`; `last_used_ns`, on the wall clock of the frontend that wrote it;
    `available_vram_bytes`.
    """
    return Table("pick", "replica", "in_flight", "last_used_ns", "available_vram_bytes")


class ChoiceLog(Observer):
    """The observer that keeps all choices of a run in memory."""

    def __init__(self) -> None:
        self.table = choice_table()
        self.replicas: Codes[ReplicaKey] = Codes()
        """The replicas by their codes in the table."""
        self._picks = 0
        self._asked: dict[int, list[tuple[int, int, int, int]]] = {}
        """By request: what its last choice was made from, until the registry has carried it out."""

    def chose(self, request: Request, replicas: Sequence[Replica], chosen: Replica | None) -> None:
        """Keep the rows as they are now, in place of what an earlier choice of the request saw."""
        codes = self.replicas
        self._asked[request.id] = [
            (codes[row.key], row.in_flight, row.last_used_ns, row.available_vram_bytes) for row in replicas
        ]

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """Add what the pick was made from, under its number."""
        for row in self._asked.pop(request.id):
            self.table.append(self._picks, *row)
        self._picks += 1
