"""Writes a trace file, event after event, so that a run of any length fits into memory."""

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import BinaryIO

from sim.measure.result import RunResult
from sim.measure.saved.staged_files import StagedFiles
from sim.report.trace.run_trace import RunTrace
from sim.report.trace.tracks import Event, Tracks

_LEVEL = 6
"""Of compression: the highest one takes three times as long for a few percent."""


def write_trace(path: Path, results: Sequence[RunResult]) -> None:
    """Write the runs to one file, compressed if its name ends in `.gz`; it appears whole or not at all.

    Of several runs each has processes of its own, which are named after it. Raises CannotWrite.
    """
    is_compressed = path.suffix == ".gz"

    def write(file: BinaryIO) -> None:
        # A fixed time, so that the same runs give the same bytes.
        with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) if is_compressed else nullcontext(file) as out:
            out.write(b'{"displayTimeUnit":"ms","traceEvents":[\n')
            for number, event in enumerate(trace_events(results)):
                out.write((b",\n" if number else b"") + _line(event))
            out.write(b"\n]}\n")

    with StagedFiles(path.parent) as files:
        files.add(path.name, write)


def trace_events(results: Sequence[RunResult]) -> Iterator[Event]:
    """Yield the events of all runs, and before the first event of each process and thread the one that names it."""
    number, requests = count(1).__next__, 0
    for result in results:
        tracks = Tracks(number)
        within = f"{result.name}: " if len(results) > 1 else ""
        for event in RunTrace(result, tracks, within, requests).events():
            yield from tracks.names()
            yield event
        requests += len(result.records.requests)


def _line(event: Event) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
