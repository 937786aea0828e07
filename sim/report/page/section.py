"""One scenario's part of the page: what was judged, the figures side by side, the differences, the plots."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from sim.measure.differences import Difference, Finding
from sim.report.difference_cells import difference_cells, difference_head, known_differences
from sim.report.marks import UNICODE, Mark, mark_of
from sim.report.sentences import judged_lines, load_lines, seeds_line
from sim.report.terminal.bars import mean_share, replica, shares_by_model
from sim.report.terminal.differences import DifferencesTable
from sim.report.terminal.rows import figure_rows, mark
from sim.report.terminal.table import ScenarioTable

_CLASSES = {Finding.A: "failed", Finding.B: "held", Finding.UNCLEAR: "shows_bug"}


class Plot(NamedTuple):
    """A picture of the results."""

    title: str
    svg: str
    """An `<svg>` element."""


class Judged(NamedTuple):
    """An expectation, and how the runs stand to it."""

    look: str
    """The class that it is coloured by."""
    lines: Sequence[str]
    """The sentence; then why it does not hold, if it does not."""


class Share(NamedTuple):
    """The part of its model's requests that a replica completed in one variant."""

    part: float | None
    """From 0 to 1; None if the variant has no such replica."""
    look: str


@dataclass(frozen=True, slots=True)
class Section:
    """A scenario in the page."""

    table: ScenarioTable
    differences: DifferencesTable | None = None
    """None if there are not several variants on several seeds."""
    plots: Sequence[Plot] = ()
    more_plots: Sequence[Plot] = ()
    """Those that are shown when they are asked for."""

    @property
    def seeds(self) -> str:
        """Which seeds were run."""
        return seeds_line(self.table.columns, UNICODE)

    @property
    def verdict(self) -> Judged:
        """All expectations in a sentence."""
        outcomes = [verdict for column in self.table.columns for verdict in column.outcomes]
        failed = sum(verdict.passed is False for verdict in outcomes)
        checked = sum(verdict.passed is not None for verdict in outcomes)
        if failed:
            return Judged("failed", [f"{failed} of {len(outcomes)} expectations failed"])
        if not checked:
            return Judged("none", ["No expectation was checked"])
        bugs = sum(verdict.shows_bug for verdict in outcomes if verdict.passed)
        shown = f", {bugs} of them because a known bug shows" if bugs else ""
        return Judged(look(mark_of(outcomes)), [f"{checked} of {len(outcomes)} expectations hold{shown}"])

    @property
    def judged(self) -> list[Judged]:
        """Each expectation; what failed comes first."""
        return [Judged(look(mark), lines) for mark, lines in judged_lines(self.table.columns, UNICODE)]

    @property
    def warnings(self) -> list[str]:
        """Warnings about variants whose figures are not those of a steady state."""
        return [line.plain for line in load_lines(self.table.columns, UNICODE)]

    @property
    def shares(self) -> Iterator[tuple[str, list[Share]]]:
        """Yield each replica with its share in each variant."""
        columns = self.table.columns
        for metric in chain.from_iterable(shares_by_model(columns)):
            yield replica(metric), [Share(mean_share(column, metric), look(mark(column, metric))) for column in columns]

    @property
    def figures(self) -> Iterator[tuple[str, bool, Sequence[tuple[str, str]]]]:
        """Yield each metric's name, whether it is of a part of the run, and each variant's figure with its class."""
        for row in figure_rows(self.table.columns, UNICODE, speeds_differ=self.table.speeds_differ):
            yield row.label, row.is_part, [(cell.text, look(cell.mark)) for cell in row.cells]

    @property
    def difference_head(self) -> list[str]:
        """The titles of the differences' columns."""
        return [] if self.differences is None else difference_head(self.differences.base, self._differences)

    @property
    def difference_rows(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the class and the cells of each difference that tells something."""
        rows = self._differences
        for row, cells in zip(rows, difference_cells(rows), strict=True):
            yield _CLASSES.get(row.verdict, ""), cells

    @property
    def digests(self) -> Iterator[tuple[str, int, str]]:
        """Yield each variant with its first seed and the digest of that run."""
        for column in self.table.columns:
            yield column.variant, column.seeds[0], column.digests[0]

    @property
    def _differences(self) -> list[Difference]:
        return [] if self.differences is None else known_differences(self.differences.shown_rows)


def look(mark: Mark) -> str:
    """Return the CSS class that gives this mark its colour."""
    return mark.name.lower()
