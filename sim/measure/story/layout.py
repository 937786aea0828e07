"""How stories are laid out: lines that begin with a time, for any width."""

from collections.abc import Iterator
from enum import Enum
from textwrap import wrap
from typing import NamedTuple, Protocol

from sim.measure.story.decision import Decision
from sim.measure.story.decision_words import candidate_cells, candidate_heads

_TIMES = 24
"""Characters of the two times at the beginning of a line."""
_LEAST_ROOM = 30
"""Characters that a sentence needs beside the times; with less it begins on a line of its own."""


class Part(Enum):
    """What a line is, so that it can be shown in colours."""

    HEAD = "head"
    STEP = "step"
    MEANWHILE = "meanwhile"
    CANDIDATE = "candidate"
    TAKEN = "taken"


class Line(NamedTuple):
    """One line of a story."""

    part: Part
    text: str


class Story(Protocol):
    """Whatever can be told line by line."""

    def lines(self, width: int | None = None) -> Iterator[Line]:
        """Yield its lines, each no wider than `width` characters if that is given."""


def folded(part: Part, text: str, width: int | None) -> Iterator[Line]:
    """Yield the text, on as many lines as it takes at that width."""
    for piece in [text] if width is None else wrap(text, width):
        yield Line(part, piece)


def timed(part: Part, t_ns: int | None, since: str, text: str, width: int | None) -> Iterator[Line]:
    """Yield the text behind a time, if it has one, and behind what has passed `since` the line before."""
    times = f"{'' if t_ns is None else f'{t_ns / 1e9:.6f}':>12}{since:>10}  "
    if width is None:
        yield Line(part, times + text)
        return
    if _is_narrow(width):
        if times.strip():
            yield Line(part, times.rstrip())
        times = "    "
    pieces = wrap(text, max(width - len(times), 8))
    for number, piece in enumerate(pieces):
        yield Line(part, f"{times if not number else '':{len(times)}}{piece}")


def candidate_lines(decision: Decision, width: int | None) -> Iterator[Line]:
    """Yield the replicas that the decision saw, with their figures: a table, or a sentence each if that is too wide."""
    rows = [("", "replica", *candidate_heads(decision)), *candidate_cells(decision)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width is not None and _TIMES + sum(widths) + 2 * len(widths) > width:
        yield from _candidate_sentences(decision, width)
        return
    for place, row in enumerate(rows, -1):
        cells = [row[0].ljust(widths[0]), row[1].ljust(widths[1]), *map(str.rjust, row[2:], widths[2:])]
        text = f"{'':{_TIMES}}{'  '.join(cells)}".rstrip()
        yield Line(Part.TAKEN if place == decision.taken else Part.CANDIDATE, text)


def _candidate_sentences(decision: Decision, width: int) -> Iterator[Line]:
    indent = 4 if _is_narrow(width) else _TIMES
    heads = candidate_heads(decision)
    for place, (mark, replica, *figures) in enumerate(candidate_cells(decision)):
        named = ", ".join(f"{name} {figure}" for name, figure in zip(heads, figures, strict=True))
        part = Part.TAKEN if place == decision.taken else Part.CANDIDATE
        for piece in wrap(f"{mark or '-'} {replica}: {named}", max(width - indent, 8), subsequent_indent="  "):
            yield Line(part, f"{'':{indent}}{piece}")


def _is_narrow(width: int | None) -> bool:
    return width is not None and width < _TIMES + _LEAST_ROOM
