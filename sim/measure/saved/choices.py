"""Writes down what each pick was made from: which replicas, and their figures as it saw them.

That is a row for each replica of each pick, too much to hold beside the records. So it is compressed while the run goes
on, and written down only if that is wanted, perhaps when the run is made a second time.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.measure.facts import RunFacts
from sim.measure.recording.records import Codes, Table
from sim.observer import Observer, RunView
from sim.routing.outcomes import Answer
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_A_TIME = 1 << 16


class ChoiceRecorder(Observer):
    """The observer that `choices.parquet` is from.

    Its columns: `pick`, the row's number in the table of picks, from 0; `replica`, one that could be chosen;
    `in_flight`; `last_used_s`, on the wall clock of the frontend that wrote it; `available_vram_bytes`.
    """

    _facts: RunFacts

    def __init__(self) -> None:
        # Here, because it takes as long to import as a small run.
        import pyarrow as pa
        from pyarrow import parquet

        self._schema = pa.schema(
            {
                "pick": pa.int64(),
                "replica": pa.dictionary(pa.int32(), pa.string()),
                "in_flight": pa.int64(),
                "last_used_s": pa.float64(),
                "available_vram_bytes": pa.int64(),
            }
        )
        self._sink = pa.BufferOutputStream()
        self._file = parquet.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._picks = 0
        self._asked: dict[int, list[tuple[int, int, int, int]]] = {}
        """By request: what its last choice was made from, until the registry has carried it out."""
        self._replicas: Codes[ReplicaKey] = Codes()
        self._table = _empty()

    def begin(self, view: RunView) -> None:
        """Keep the facts that name the replicas of this run."""
        self._facts = RunFacts.of(view.plan.scenario)

    def chose(self, request: Request, replicas: Sequence[Replica], chosen: Replica | None) -> None:
        """Keep the rows as they are now, in place of what an earlier choice of the request saw."""
        codes = self._replicas
        self._asked[request.id] = [
            (codes[row.key], row.in_flight, row.last_used_ns, row.available_vram_bytes) for row in replicas
        ]

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """Add what the pick was made from, under its number."""
        for row in self._asked.pop(request.id):
            self._table.append(self._picks, *row)
        self._picks += 1
        if len(self._table) >= _ROWS_AT_A_TIME:
            self._compress()

    def finished(self) -> "pa.Buffer":
        """Return the rows as a Parquet file. The run is over; this can be asked once."""
        self._compress()
        self._file.close()
        return self._sink.getvalue()

    def _compress(self) -> None:
        import pyarrow as pa

        table, self._table = self._table, _empty()
        labels = [self._facts.label(key) for key in self._replicas]
        codes = pa.array(table["replica"].astype(np.int32))
        columns = [
            table["pick"],
            pa.DictionaryArray.from_arrays(codes, pa.array(labels, pa.string())),
            table["in_flight"],
            table["last_used_ns"] / 1e9,
            table["available_vram_bytes"],
        ]
        self._file.write_table(pa.table(columns, schema=self._schema))


def _empty() -> Table:
    return Table("pick", "replica", "in_flight", "last_used_ns", "available_vram_bytes")
