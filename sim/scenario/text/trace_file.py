"""Reading a trace of requests from a CSV file: arrival times and token counts, checked row by row."""

import csv
import hashlib
import io
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.scenario.text.errors import did_you_mean, found, listed
from sim.scenario.text.files import UnreadableFile, read_regular
from sim.scenario.text.units import LONGEST_NS

MOST_BYTES = 64 << 20
MOST_ROWS = 10_000_000
MOST_TOKENS = 10_000_000
_MOST_WRONG_ROWS = 20


class TraceColumns(NamedTuple):
    """Header names of the three columns that are read."""

    arrival: str
    prompt: str
    output: str


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The rows of a trace file, in order of arrival. Two are equal if they came from the same bytes."""

    arrival_ns: NDArray[np.int64]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    digest: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


class BadTrace(Exception):
    """The trace cannot be used; `texts` holds each fault, with its row."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(tuple(texts))
        self.texts = tuple(texts)


def find_trace(written: str, folders: Sequence[Path]) -> Path:
    """Return the real path of a trace file written relative to the first of the folders that has it.

    BadTrace if it is absolute, climbs with `..`, or ends up outside of every folder through a symbolic link.
    """
    path = PurePosixPath(written)
    if path.is_absolute() or ".." in path.parts or set(written) & set("\\:\0") or not path.parts:
        raise BadTrace([f"found {found(written)}; allowed: a path below the scenario's folder, without .. or drive"])
    try:
        return _inside(path, written, [folder.resolve() for folder in folders])
    except (OSError, RuntimeError):  # A name that is too long, a folder that is closed, a loop of links.
        raise BadTrace([f"{found(written)} cannot be reached; allowed: a file below the scenario's folder"]) from None


def _inside(path: PurePosixPath, written: str, folders: Sequence[Path]) -> Path:
    for folder in folders:
        real = (folder / path).resolve()
        if real.exists() and any(real.is_relative_to(other) for other in folders):
            return real
        if real.exists():
            raise BadTrace([f"{found(written)} leads out of its folder; allowed: a file inside, or an allowed folder"])
    raise BadTrace([f"{found(written)} does not exist; allowed: a file below the scenario's folder"])


def read_trace(path: Path, columns: TraceColumns) -> Trace:
    """Read the rows; BadTrace lists up to 20 faults. Arrivals are seconds from the start, sorted, not negative."""
    try:
        content = read_regular(path, MOST_BYTES)
        text = content.decode("utf-8-sig")
    except UnreadableFile as error:
        raise BadTrace([f"{path.name} {error}"]) from None
    except UnicodeDecodeError:
        raise BadTrace([f"{path.name} is not UTF-8; allowed: a CSV file in UTF-8"]) from None
    digest = hashlib.blake2b(content + repr(columns).encode(), digest_size=16).hexdigest()
    del content
    return _Rows(path.name, columns).read(text, digest)


class _Rows:
    """Collects the columns of one file and the faults in it."""

    def __init__(self, name: str, columns: TraceColumns) -> None:
        self.name = ascii(name)[1:-1]
        self.columns = columns
        self.faults: list[str] = []
        self.last_arrival_ns = 0

    def read(self, text: str, digest: str) -> Trace:
        arrivals, prompts, outputs = (array("q") for _ in self.columns)
        try:
            rows = csv.reader(io.StringIO(text, newline=""), strict=True)
            places = self._places(next(rows, []))
            for number, row in self._sound(rows, len(places.header)):
                arrivals.append(self._arrival_ns(number, row[places.arrival]))
                prompts.append(self._tokens(number, self.columns.prompt, row[places.prompt]))
                outputs.append(self._tokens(number, self.columns.output, row[places.output]))
                if len(self.faults) >= _MOST_WRONG_ROWS:
                    break
        except csv.Error as error:
            self.faults.append(f"{self.name} is not CSV: {ascii(str(error))[1:-1]}; allowed: comma-separated rows")
        if not arrivals and not self.faults:
            self.faults.append(f"{self.name} has no rows; allowed: at least one below the header")
        if self.faults:
            raise BadTrace(self.faults)
        return Trace(_column(arrivals), _column(prompts), _column(outputs), digest)

    def _places(self, header: list[str]) -> "_Places":
        for column in self.columns:
            if header.count(column) != 1:
                count = "no" if column not in header else "more than one"
                self.faults.append(
                    f"{self.name}:1: found {count} column {found(column)}; "
                    f"allowed: one of {found(listed(header))}{did_you_mean(column, header)}"
                )
        if self.faults:
            raise BadTrace(self.faults)
        return _Places(header, *(header.index(column) for column in self.columns))

    def _sound(self, rows: Iterator[list[str]], width: int) -> Iterator[tuple[int, list[str]]]:
        """Yield numbered rows of the right width; the header is row 1."""
        for number, row in enumerate(rows, start=2):
            if number > MOST_ROWS + 1:
                self.faults.append(f"{self.name}:{number}: found too many rows; allowed: {MOST_ROWS:,}")
                return
            if len(row) != width:
                self.faults.append(f"{self.name}:{number}: found {len(row)} fields; allowed: {width}, as in the header")
                if len(self.faults) >= _MOST_WRONG_ROWS:
                    return
                continue
            yield number, row

    def _arrival_ns(self, number: int, text: str) -> int:
        seconds = _finite(text)
        if not 0 <= seconds * 1e9 <= LONGEST_NS:
            most_s = LONGEST_NS // 10**9
            self._fault(number, self.columns.arrival, text, f"seconds from 0 to {most_s}")
            return self.last_arrival_ns
        arrival_ns = round(seconds * 1e9)
        if arrival_ns < self.last_arrival_ns:
            self._fault(number, self.columns.arrival, text, "not earlier than the row before")
        self.last_arrival_ns = max(arrival_ns, self.last_arrival_ns)
        return arrival_ns

    def _tokens(self, number: int, column: str, text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= 8 and int(text) <= MOST_TOKENS:
            return int(text)
        self._fault(number, column, text, f"a whole number from 0 to {MOST_TOKENS:,}")
        return 0

    def _fault(self, number: int, column: str, text: str, allowed: str) -> None:
        self.faults.append(f"{self.name}:{number}: column {found(column)}: found {found(text)}; allowed: {allowed}")


class _Places(NamedTuple):
    header: list[str]
    arrival: int
    prompt: int
    output: int


def _column(values: "array[int]") -> NDArray[np.int64]:
    """Return the values as a column that nobody can change: all variants share it."""
    column = np.array(values, dtype=np.int64)
    column.flags.writeable = False
    return column


def _finite(text: str) -> float:
    """Return the number, or -1 if it is none."""
    try:
        number = float(text) if len(text) <= 40 and text.isascii() and "_" not in text else -1.0
    except ValueError:
        return -1.0
    return number if math.isfinite(number) else -1.0
