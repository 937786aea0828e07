"""Reading a trace of requests from a CSV file: arrival times and token counts, checked row by row."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.routing.request import Chain
from sim.scenario.text import trace_blocks
from sim.scenario.text.errors import escaped, found, listed, nearest, plain
from sim.scenario.text.files import UnreadableFile, read_regular
from sim.scenario.text.trace_blocks import read_blocks
from sim.scenario.text.trace_times import Arrivals, Seconds, arrivals_like

MOST_BYTES = 16 << 20
MOST_TOKENS = 10_000_000
MOST_LINE = 1 << 16
_MOST_WRONG_ROWS = 20
_ROWS_AT_ONCE = 1 << 12
_OTHER_SEPARATORS = ";\t|"
_FIRST_ROW = 2  # The header is row 1.


class TraceColumns(NamedTuple):
    """Header names of the columns that are read."""

    arrival: str
    prompt: str
    output: str
    blocks: str | None = None
    """None if the blocks of prompts are not read."""

    def asked(self) -> dict[str, str]:
        """Return the columns that are to be read, by what they hold."""
        return {key: column for key, column in self._asdict().items() if column is not None}


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The rows of a trace file, in order of arrival. Two are equal if they came from the same bytes."""

    arrival_ns: NDArray[np.int64]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    chains: tuple[Chain, ...]
    """Blocks of each prompt; empty if they were not read."""
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
    if path.is_absolute() or ".." in path.parts:
        text = f"found {found(written)}; allowed: a path below the scenario's folder, or below one named by --allow-dir"
        raise BadTrace([f"{text}, such as {plain(path.name)}"])
    if set(written) & set("\\:\0") or not path.parts:
        raise BadTrace([f"found {found(written)}; allowed: a path below the scenario's folder, with / and no drive"])
    try:
        return _inside(path, written, [folder.resolve() for folder in folders])
    except (OSError, RuntimeError):  # A name that is too long, a folder that is closed, a loop of links.
        raise BadTrace([f"{found(written)} cannot be reached; allowed: {_BELOW}"]) from None


_BELOW = "a file below the scenario's folder, or below one named by --allow-dir"


def _inside(path: PurePosixPath, written: str, folders: Sequence[Path]) -> Path:
    for folder in folders:
        real = (folder / path).resolve()
        if real.exists() and any(real.is_relative_to(other) for other in folders):
            return real
        if real.exists():
            raise BadTrace([f"{found(written)} leads out of its folder; allowed: {_BELOW}"])
    raise BadTrace([f"{found(written)} does not exist; allowed: {_BELOW}"])


def read_trace(path: Path, columns: TraceColumns) -> Trace:
    """Read the rows; BadTrace lists up to 20 faults. Arrivals are sorted; `trace_times` says how they are written."""
    try:
        content = read_regular(path, MOST_BYTES)
        digest = hashlib.blake2b(content + repr(columns).encode(), digest_size=16).hexdigest()
        # Decoded as it is read, because the whole text takes four bytes for each character.
        text = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline="")
        return _Rows(path.name, columns).read(text, digest)
    except UnreadableFile as error:
        raise BadTrace([f"{path.name} {error}"]) from None
    except UnicodeDecodeError:
        raise BadTrace([f"{path.name} is not UTF-8; allowed: a CSV file in UTF-8"]) from None


class _Rows:
    """Collects the columns of one file and the faults in it."""

    def __init__(self, name: str, columns: TraceColumns) -> None:
        self.name = escaped(name)
        self.columns = columns
        self.faults: list[str] = []
        self.arrivals: Arrivals = Seconds()
        self.last_arrival_ns = 0

    def read(self, text: Iterable[str], digest: str) -> Trace:
        blocks: list[_Block] = []
        try:
            rows = csv.reader(self._lines(text), strict=True)
            places = self._places(next(rows, []))
            number = _FIRST_ROW
            while (block := list(islice(rows, _ROWS_AT_ONCE))) and len(self.faults) < _MOST_WRONG_ROWS:
                if number == _FIRST_ROW and len(block[0]) == places.width:
                    self.arrivals = arrivals_like(block[0][places.arrival])
                values = self._values(block, places)
                if values is None:
                    self._find_faults(number, block, places)
                elif not self.faults:
                    blocks.append(values)
                number += len(block)
        except csv.Error as error:
            self.faults.append(f"{self.name} is not CSV: {escaped(str(error))}; allowed: comma-separated rows")
        if not blocks and not self.faults:
            self.faults.append(f"{self.name} has no rows; allowed: at least one below the header")
        if self.faults:
            raise BadTrace(self.faults)
        arrivals_ns, prompts, outputs, chains = zip(*blocks, strict=True)
        return Trace(_column(arrivals_ns), _column(prompts), _column(outputs), tuple(chain(*chains)), digest)

    def _lines(self, text: Iterable[str]) -> Iterator[str]:
        """Yield the lines; a file that is one endless line would have more fields than memory holds."""
        for number, line in enumerate(text, start=1):
            if len(line) > MOST_LINE:
                raise BadTrace([f"{self.name}:{number}: found {len(line):,} characters; allowed: {MOST_LINE:,} a line"])
            yield line

    def _places(self, header: list[str]) -> "_Places":
        if header and header[0].startswith(("{", "[")):
            raise BadTrace([f"{self.name}:1: found JSON; allowed: CSV whose first line names the columns"])
        other = next((sign for sign in _OTHER_SEPARATORS if len(header) == 1 and sign in header[0]), None)
        if other is not None:
            raise BadTrace([f"{self.name}:1: found {found(other)} between the fields; allowed: ','"])
        for key, column in self.columns.asked().items():
            if header.count(column) != 1:
                count = "no" if column not in header else "more than one"
                near = nearest(column, header)
                self.faults.append(
                    f"{self.name}:1: found {count} column {found(column)}; allowed: one of {found(listed(header))}, "
                    f"named by columns: {{{key}: {plain(near) if near else '...'}}}"
                )
        if self.faults:
            raise BadTrace(self.faults)
        return _Places(len(header), **{key: header.index(column) for key, column in self.columns.asked().items()})

    def _values(self, block: list[list[str]], places: "_Places") -> "_Block | None":
        """Return the values of the rows, None if there is a fault in them."""
        if set(map(len, block)) != {places.width}:
            return None
        fields = list(zip(*block, strict=True))
        arrival_ns = self.arrivals.read_ns(fields[places.arrival])
        prompt_tokens, output_tokens = (_whole_numbers(fields[place]) for place in (places.prompt, places.output))
        chains = [] if places.blocks is None else read_blocks(fields[places.blocks])
        if arrival_ns is None or prompt_tokens is None or output_tokens is None or chains is None:
            return None
        if (np.diff(arrival_ns, prepend=self.last_arrival_ns) < 0).any():
            return None
        self.last_arrival_ns = int(arrival_ns[-1])
        return _Block(arrival_ns, prompt_tokens, output_tokens, chains)

    def _find_faults(self, first_number: int, block: list[list[str]], places: "_Places") -> None:
        for number, row in enumerate(block, start=first_number):
            if len(self.faults) >= _MOST_WRONG_ROWS:
                return
            if len(row) != places.width:
                self.faults.append(
                    f"{self.name}:{number}: found {len(row)} fields; allowed: {places.width}, as in the header"
                )
                continue
            self._check_arrival(number, row[places.arrival])
            self._check_tokens(number, self.columns.prompt, row[places.prompt])
            self._check_tokens(number, self.columns.output, row[places.output])
            if places.blocks is not None and read_blocks([row[places.blocks]]) is None:
                self._fault(number, self.columns.blocks or "", row[places.blocks], trace_blocks.ALLOWED)

    def _check_arrival(self, number: int, text: str) -> None:
        arrival_ns = self.arrivals.read_ns([text])
        if arrival_ns is None:
            self._fault(number, self.columns.arrival, text, self.arrivals.allowed)
        elif arrival_ns[0] < self.last_arrival_ns:
            self._fault(number, self.columns.arrival, text, "not earlier than the row before")
        else:
            self.last_arrival_ns = int(arrival_ns[0])

    def _check_tokens(self, number: int, column: str, text: str) -> None:
        if _whole_numbers([text]) is None:
            self._fault(number, column, text, f"a whole number from 0 to {MOST_TOKENS:,}")

    def _fault(self, number: int, column: str, text: str, allowed: str) -> None:
        self.faults.append(f"{self.name}:{number}: column {found(column)}: found {found(text)}; allowed: {allowed}")


class _Places(NamedTuple):
    width: int
    """Number of fields of a row."""
    arrival: int
    prompt: int
    output: int
    blocks: int | None = None


class _Block(NamedTuple):
    """The values of some rows."""

    arrival_ns: NDArray[np.int64]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    chains: list[Chain]


def _whole_numbers(texts: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the numbers of tokens; None if one of the texts is none."""
    joined = "".join(texts)
    if not (joined.isascii() and joined.isdigit()):
        return None
    try:
        values = np.array(list(map(int, texts)), dtype=np.int64)
    except (ValueError, OverflowError):
        return None
    return values if values.max() <= MOST_TOKENS else None


def _column(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the values as a column that nobody can change: all variants share it."""
    column = np.concatenate(parts)
    column.flags.writeable = False
    return column
