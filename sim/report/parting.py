"""Where two runs part, in lines of plain text."""

from collections.abc import Iterator

from sim.measure.changes.first_difference import Candidate, Figures, Parting
from sim.measure.story.decision_words import FIGURE_NAMES, figure_cells


def parting_lines(parting: Parting | None, base: str, new: str) -> Iterator[str]:
    """Yield the first difference, what either run did, and what both saw; the runs go by these names."""
    if parting is None:
        yield "all decisions are the same, only times differ"
        return
    width = max(len(base), len(new))
    yield f"first difference at {parting.t_s:.6f} s: {parting.what}"
    yield f"  {base:{width}} {parting.base}"
    yield f"  {new:{width}} {parting.new}"
    if parting.candidates:
        rows = list(candidate_cells(parting.candidates, base, new))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            yield "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))


def candidate_cells(
    candidates: tuple[Candidate, ...], base: str = "base", new: str = "new"
) -> Iterator[tuple[str, ...]]:
    """Yield the head and then a line a candidate: each figure as the base saw it and as the new run did."""
    yield "replica", *(cell for name in FIGURE_NAMES.values() for cell in (name, ""))
    yield "", base, new, base, new, base, new
    for one in candidates:
        pairs = zip(_cells(one.base), _cells(one.new), strict=True)
        yield one.replica, *(cell for pair in pairs for cell in pair)


def _cells(figures: Figures | None) -> tuple[str, str, str]:
    return ("-", "-", "-") if figures is None else figure_cells(*figures)
