"""The stretch of a run that figures are taken over."""

from dataclasses import dataclass, field
from typing import Self

from sim.measure.recording.records import Booleans, Integers, Table
from sim.scenario.text.units import format_duration, parse_duration_ns


@dataclass(frozen=True, slots=True)
class Window:
    """The times `after_ns <= t < before_ns`; without an end if `before_ns` is None."""

    after_ns: int = 0
    before_ns: int | None = None

    def __str__(self) -> str:
        """Read as `after 60s before 90s`, in the words of an expectation's keys; empty for the whole run."""
        start = f"after {format_duration(self.after_ns)}" if self.after_ns else ""
        end = "" if self.before_ns is None else f"before {format_duration(self.before_ns)}"
        return f"{start} {end}".strip()

    @classmethod
    def between(cls, after: str | None, before: str | None) -> Self:
        """Return the window between two durations since the start of the run, such as `60s`; None leaves a side open.

        Raises ValueError if one is no duration, or if the window ends before it begins.
        """
        after_ns = 0 if after is None else parse_duration_ns(after)
        before_ns = None if before is None else parse_duration_ns(before)
        if before_ns is not None and before_ns <= after_ns:
            raise ValueError(f"a window has to end later than it begins, not from {after or '0s'} to {before}")
        return cls(after_ns, before_ns)


@dataclass(frozen=True, slots=True)
class Span:
    """A window laid over one run: its warm-up is cut off."""

    opens_ns: int
    before_ns: int | None
    closes_ns: int
    """Where the window or else the run ends."""
    end_ns: int
    """Where the run ends."""
    is_whole_run: bool
    """Nothing but the warm-up is left out."""

    @classmethod
    def of(cls, window: Window, warmup_ns: int, end_ns: int) -> Self:
        """Lay the window over a run that ended at `end_ns`."""
        opens_ns = max(window.after_ns, warmup_ns)
        has_the_end = window.before_ns is None or window.before_ns > end_ns
        closes_ns = end_ns if window.before_ns is None else min(window.before_ns, end_ns)
        return cls(
            opens_ns=opens_ns,
            before_ns=window.before_ns,
            closes_ns=max(opens_ns, closes_ns),
            end_ns=end_ns,
            is_whole_run=has_the_end and opens_ns == warmup_ns,
        )

    def holds(self, times_ns: Integers) -> Booleans:
        """Tell of each time whether it is in the window; same shape."""
        held = times_ns >= self.opens_ns
        if self.before_ns is not None:
            held &= times_ns < self.before_ns
        return held

    def rows(self, table: Table, time: str) -> "Rows":
        """Return the rows whose time, in the column of that name, is in the window."""
        chosen = self.holds(table[time])
        return Rows(table, None if chosen.all() else chosen)


@dataclass(frozen=True, slots=True)
class Rows:
    """Some of a table's rows; a column is cut out when it is first asked for, and kept."""

    table: Table
    chosen: Booleans | None
    """None for all of them."""
    _columns: dict[str, Integers] = field(default_factory=dict)

    def __getitem__(self, column: str) -> Integers:
        """Return the column, shape (rows,); a view into the table if no row is left out."""
        if column not in self._columns:
            whole = self.table[column]
            self._columns[column] = whole if self.chosen is None else whole[self.chosen]
        return self._columns[column]
