"""What `sim check` found: a row for each regression that was tried, then what the router shows, then the verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from sim.measure.immunity import Standing
from sim.report.marks import ASCII, STYLES, UNICODE, Signs
from sim.report.standings import (
    applicable,
    figure_of,
    findings,
    left_out_in_words,
    mark_of_standing,
    rule_in_words,
    verdict_in_words,
    word_for,
)


@dataclass(frozen=True, slots=True)
class CheckTable:
    """The results of a check, printed by a rich console; plain characters where the output takes no others."""

    policy: str
    seeds: int
    too_many: int
    standings: Sequence[Standing]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Lay the parts out one under the other."""
        signs = ASCII if options.ascii_only else UNICODE
        tried = applicable(self.standings)
        yield Text.assemble((self.policy, "bold"), (f"  {self.seeds} seeds", "dim"))
        if tried:
            yield self._table(tried, signs)
            yield Text()
        for one in tried:
            if lines := list(findings(one)):
                mark = mark_of_standing(one)
                yield Text(f"{signs.marks[mark]} " + "\n  ".join(lines), style=STYLES[mark])
        yield Text(verdict_in_words(self.policy, self.standings), style="bold")
        if others := left_out_in_words(self.standings):
            yield Text(others, style="dim")
        if tried:
            yield Text(rule_in_words(self.seeds, self.too_many), style="dim")

    def _table(self, tried: Sequence[Standing], signs: Signs) -> Table:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("", overflow="fold")
        table.add_column("metric", overflow="fold")
        table.add_column("mean", justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        for one in tried:
            cells = (one.known.name, one.known.metric, figure_of(one, signs), word_for(one))
            table.add_row(*(Text(cell, STYLES[mark_of_standing(one)]) for cell in cells))
        return table
