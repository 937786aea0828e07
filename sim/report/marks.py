"""How a figure that was judged looks: its mark, the sign for it, and the colour."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from sim.measure.expectations import Verdict


class Mark(IntEnum):
    """How figures stand to what is expected of them; of several marks the highest counts."""

    NONE = 0
    """Nothing is expected, or it could not be checked."""
    HELD = 1
    SHOWS_BUG = 2
    """What is expected is a known bug, and it shows."""
    FAILED = 3


STYLES: Mapping[Mark, str] = {
    Mark.NONE: "",
    Mark.HELD: "green",
    Mark.SHOWS_BUG: "yellow",
    Mark.FAILED: "bold red",
}


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters that an output can take."""

    marks: Mapping[Mark, str]
    plus_minus: str
    absent: str
    ascii_only: bool

    def before_figure(self, mark: Mark) -> str:
        """Return what stands before a figure: a reader without colours has to find what is not well."""
        return f"{self.marks[mark]} " if mark in (Mark.FAILED, Mark.SHOWS_BUG) else ""


UNICODE = Signs(
    {Mark.NONE: "-", Mark.HELD: "✓", Mark.SHOWS_BUG: "!", Mark.FAILED: "✗"}, "±", absent="·", ascii_only=False
)
ASCII = Signs({Mark.NONE: "-", Mark.HELD: "+", Mark.SHOWS_BUG: "!", Mark.FAILED: "x"}, "+/-", ".", ascii_only=True)


def mark_of(verdicts: Iterable[Verdict]) -> Mark:
    """Return the mark of a figure from all verdicts on it."""
    return max(map(_mark, verdicts), default=Mark.NONE)


def _mark(verdict: Verdict) -> Mark:
    if verdict.passed is None:
        return Mark.NONE
    if not verdict.passed:
        return Mark.FAILED
    return Mark.SHOWS_BUG if verdict.shows_bug else Mark.HELD
