"""The choices of a run that is kept, as a file: compressed during the run, because memory might not hold them."""

from typing import TYPE_CHECKING

import numpy as np

from sim.measure.facts import RunFacts
from sim.measure.recording.choices import ChoiceLog, choice_table
from sim.observer import RunView
from sim.routing.outcomes import Answer
from sim.routing.replica import Replica
from sim.routing.request import Request

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_A_TIME = 1 << 16


class ChoiceRecorder(ChoiceLog):
    """The observer that `choices.parquet` is from.

    Its columns: `pick`, the row's number in the table of picks, from 0; `replica`, one that could be chosen;
    `in_flight`; `last_used_s`, on the wall clock of the frontend that wrote it; `available_vram_bytes`.
    """

    _facts: RunFacts

    def __init__(self) -> None:
        super().__init__()
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

    def begin(self, view: RunView) -> None:
        """Keep the facts that name the replicas of this run."""
        self._facts = RunFacts.of(view.plan.scenario)

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """Add what the pick was made from, under its number."""
        super().picked(request, replica, remembered)
        if len(self.table) >= _ROWS_AT_A_TIME:
            self._compress()

    def finished(self) -> "pa.Buffer":
        """Return the rows as a Parquet file. The run is over; this can be asked once."""
        self._compress()
        self._file.close()
        return self._sink.getvalue()

    def _compress(self) -> None:
        import pyarrow as pa

        table, self.table = self.table, choice_table()
        labels = [self._facts.label(key) for key in self.replicas]
        codes = pa.array(table["replica"].astype(np.int32))
        columns = [
            table["pick"],
            pa.DictionaryArray.from_arrays(codes, pa.array(labels, pa.string())),
            table["in_flight"],
            table["last_used_ns"] / 1e9,
            table["available_vram_bytes"],
        ]
        self._file.write_table(pa.table(columns, schema=self._schema))
