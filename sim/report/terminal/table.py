"""A scenario's results on the terminal: variants side by side, replicas as bars, expectations with their verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Self

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from sim.report.column import VariantColumn
from sim.report.marks import ASCII, STYLES, UNICODE, Signs
from sim.report.sentences import digest_line, load_lines, seeds_line, verdict_lines
from sim.report.terminal.bars import HEADING, bar_width, bars, replica, shares_by_model
from sim.report.terminal.layout import GAP, lay_out
from sim.report.terminal.rows import Row, figure_rows
from sim.scenario import ScenarioFile

_MOST_REPLICAS = 16


@dataclass(frozen=True, slots=True)
class ScenarioTable:
    """A scenario's results, printed by a rich console; plain characters where the output takes no others.

    As many variants stand side by side as the console is wide; the others follow in tables of their own. A figure that
    breaks an expectation is red, bold and marked; one that holds is green; one that shows a known bug as expected is
    yellow and marked. Several replications are shown as their mean and half the 95 % interval.
    """

    name: str
    about: str
    columns: Sequence[VariantColumn]
    speeds_differ: bool = False
    """Nodes differ in speed, so that an even number of requests is not an even load."""

    @classmethod
    def of(cls, file: ScenarioFile, columns: Sequence[VariantColumn]) -> Self:
        """Return the table of a scenario file's results."""
        speeds = ({(node.speed, node.hardware) for node in scenario.nodes} for scenario in file.variants.values())
        return cls(file.name, file.about.strip(), columns, any(len(different) > 1 for different in speeds))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Lay the parts out one under the other."""
        signs = ASCII if options.ascii_only else UNICODE
        yield Text.assemble((self.name, "bold"), (f"  {seeds_line(self.columns, signs)}", "dim"))
        if self.about:
            yield Text(self.about, style="dim")
        for table in self._tables(options.max_width, signs):
            yield ""
            yield table
        warnings = list(load_lines(self.columns, signs))
        if warnings:
            yield ""
            yield Text("\n").join(warnings)
        lines = [line for column in self.columns for line in verdict_lines(column, signs)]
        if lines:
            yield ""
            yield Text("\n").join(lines)
        yield ""
        yield Text("\n").join(digest_line(column, len(self.columns)) for column in self.columns)

    def _tables(self, room: int, signs: Signs) -> Iterator[Table]:
        rows = figure_rows(self.columns, signs, speeds_differ=self.speeds_differ)
        shares = shares_by_model(self.columns)
        labels = [row.indented for row in rows] + [replica(name) for of_model in shares for name in of_model]
        widest = [max((len(row.cells[at].text) for row in rows), default=0) for at in range(len(self.columns))]
        layout = lay_out(room, [*labels, HEADING], [column.variant for column in self.columns], widest)
        length = bar_width(self.columns, layout.narrowest, signs)
        ends = accumulate(map(len, layout.groups), initial=0)
        for (first, last), widths in zip(pairwise(ends), layout.groups, strict=True):
            columns = self.columns[first:last]
            table = _empty_table(columns, layout.labels, widths)
            _add_bars(table, columns, length, shares, signs)
            _add_figures(table, rows, first, last, signs)
            yield table


def _empty_table(columns: Sequence[VariantColumn], labels: int, widths: Sequence[int]) -> Table:
    # A character of the gap is the border between the columns.
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    table.add_column("", width=labels, overflow="fold")
    for column, width in zip(columns, widths, strict=True):
        # As Text, because rich would read brackets in a plain string as markup.
        table.add_column(Text(column.variant), width=width, justify="right", overflow="fold")
    return table


def _add_bars(
    table: Table, columns: Sequence[VariantColumn], length: int, shares: Sequence[Sequence[str]], signs: Signs
) -> None:
    if shares:
        table.add_row(HEADING, style="dim")
    left = _MOST_REPLICAS
    for of_model in shares:
        for metric in of_model[:left]:
            table.add_row(Text(replica(metric)), *bars(columns, length, metric, len(of_model), signs))
        left -= len(of_model[:left])
        table.add_section()
    hidden = sum(map(len, shares)) - _MOST_REPLICAS
    if hidden > 0:
        table.add_row(f"{hidden} more, see --json", style="dim")
        table.add_section()


def _add_figures(table: Table, rows: Sequence[Row], first: int, last: int, signs: Signs) -> None:
    for row in rows:
        cells = row.cells[first:last]
        if any(cell.text != signs.absent for cell in cells):
            table.add_row(Text(row.indented), *(Text(cell.text, style=STYLES[cell.mark]) for cell in cells))
