"""The arrivals of a trace: seconds from its start, or points in time, of which that of the first row is the start."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sim.routing.units import NS_PER_S
from sim.scenario.text.units import LONGEST_NS

# As ISO 8601 and RFC 3339 have it, with up to nine digits of a second: Python's own reader drops those after the sixth.
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.ASCII)


class Arrivals(Protocol):
    """How the arrivals of one trace are written."""

    @property
    def allowed(self) -> str:
        """What a message says may stand there."""

    def read_ns(self, texts: Sequence[str]) -> NDArray[np.int64] | None:
        """Return the arrivals from the trace's start, shape (texts,); None if one of the texts is none."""


def arrivals_like(first: str) -> Arrivals:
    """Return the way in which the first row's arrival is written, and all others have to be."""
    return Timestamps.since(first) or Seconds()


class Seconds:
    """Numbers of seconds, not negative."""

    allowed = f"seconds from 0 to {LONGEST_NS // NS_PER_S}, or a time such as 2023-11-16T18:17:03.97"

    def read_ns(self, texts: Sequence[str]) -> NDArray[np.int64] | None:
        """Return the arrivals, rounded to nanoseconds."""
        joined = "".join(texts)
        if not joined.isascii() or "_" in joined:
            return None
        try:
            seconds = np.array(list(map(float, texts)))
        except ValueError:
            return None
        # NaN fails both comparisons.
        if not ((seconds >= 0) & (seconds <= LONGEST_NS / NS_PER_S)).all():
            return None
        arrivals_ns: NDArray[np.int64] = np.rint(seconds * NS_PER_S).astype(np.int64)
        return arrivals_ns


@dataclass(frozen=True, slots=True)
class Timestamps:
    """Points in time, with an offset from UTC in every row or in none."""

    start_ns: int
    """The first row's time, in nanoseconds since 1970."""
    has_offset: bool

    @classmethod
    def since(cls, first: str) -> Self | None:
        """Return the reader of a trace that starts at this time; None if it is none."""
        start_ns = _since_1970_ns(first)
        return None if start_ns is None else cls(start_ns, _has_offset(first))

    @property
    def allowed(self) -> str:
        """Name the form of the first row."""
        form = "2023-11-16T18:17:03.97Z" if self.has_offset else "2023-11-16T18:17:03.97"
        return f"a time such as {form}, as in the first row, up to {LONGEST_NS // NS_PER_S} s later"

    def read_ns(self, texts: Sequence[str]) -> NDArray[np.int64] | None:
        """Return the arrivals; they are negative before the first row's."""
        times_ns = [self._arrival_ns(text) for text in texts]
        known_ns = [time_ns for time_ns in times_ns if time_ns is not None]
        return np.array(known_ns, dtype=np.int64) if len(known_ns) == len(texts) else None

    def _arrival_ns(self, text: str) -> int | None:
        time_ns = _since_1970_ns(text)
        if time_ns is None or _has_offset(text) != self.has_offset or time_ns - self.start_ns > LONGEST_NS:
            return None
        return time_ns - self.start_ns


def _since_1970_ns(text: str) -> int | None:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    day, time, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{offset or 'Z'}")
    except ValueError:  # No such day, or no such hour.
        return None
    # Whole seconds, which a float holds exactly.
    return int(moment.timestamp()) * NS_PER_S + int((fraction or "").ljust(9, "0"))


def _has_offset(text: str) -> bool:
    return text.endswith("Z") or text[-6:-5] in ("+", "-")
