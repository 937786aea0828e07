"""Variants beside the base they are compared with: both means, the difference with its interval, and the verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from sim.measure.catalogue import metric_of
from sim.measure.differences import Difference, Finding, counts_in_words
from sim.measure.statistics import Interval
from sim.report.figures import Scale, scale_for
from sim.report.marks import ASCII, UNICODE

_STYLES = {Finding.A: "bold red", Finding.B: "green", Finding.UNCLEAR: "yellow"}
_LEAST_VERDICT = 12
"""Characters of the last column; it alone is wrapped where the terminal is narrow."""
_ROUNDING = 1e-9
"""Part of a difference by which equal differences of floats may differ."""


@dataclass(frozen=True, slots=True)
class DifferencesTable:
    """A comparison, printed by a rich console; plain characters where the output takes no others.

    A variant that decided exactly as an earlier one has no rows. Metrics that are 0 everywhere share a line.
    """

    scenario: str
    base: str
    variants: Sequence[str]
    seeds: Sequence[int]
    rows: Sequence[Difference]
    """Metric by metric."""
    identical: Sequence[Sequence[str]]
    """Variants that decided identically on all seeds, in groups."""
    sentences: Sequence[str]
    """Printed below the table."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Lay the parts out one under the other."""
        compared = f"{', '.join(self.variants)} against {self.base}, {len(self.seeds)} seeds, "
        yield Text.assemble((self.scenario, "bold"), (f"  {compared}{min(self.seeds)} to {max(self.seeds)}", "dim"))
        shown, rows = self._shown(), self.shown_rows
        if rows:
            signs = ASCII if options.ascii_only else UNICODE
            table = self._table(rows, shown, signs.plus_minus)
            yield table if self._least_width(table, rows, console) <= options.max_width else _lines(rows)
        for sentence in self.counts:
            yield Text(sentence)
        for sentence in self.remarks:
            yield Text(sentence, style="dim")

    @property
    def shown_rows(self) -> list[Difference]:
        """The rows that tell something."""
        shown = self._shown()
        return [row for row in self.rows if row.variant in shown and not _is_zero(row)]

    @property
    def counts(self) -> list[str]:
        """For each variant, in how many metrics it is better, worse, and so on."""
        return [
            f"{variant}: {counts_in_words(row for row in self.rows if row.variant == variant)}"
            for variant in self._shown()
        ]

    @property
    def remarks(self) -> list[str]:
        """What the rows do not show: which metrics have none, and the sentences."""
        metrics = dict.fromkeys(row.metric for row in self.rows)
        zeros = [name for name in metrics if all(_is_zero(row) for row in self.rows if row.metric == name)]
        return [*([f"0 in all runs: {', '.join(zeros)}"] if zeros else []), *self.sentences]

    def _shown(self) -> list[str]:
        """Return the variants that decided otherwise than the base and those before them."""
        repeated = {variant for group in self.identical for variant in group[1:]}
        return [variant for variant in self.variants if variant not in repeated]

    def _table(self, rows: Sequence[Difference], variants: Sequence[str], plus_minus: str) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        is_one = len(variants) == 1
        # As Text, because rich would read brackets in a plain string as markup.
        table.add_column("", no_wrap=True)
        table.add_column(Text(self.base), justify="right", no_wrap=True)
        if not is_one:
            table.add_column("variant", no_wrap=True)
        table.add_column(Text(variants[0] if is_one else ""), justify="right", no_wrap=True)
        table.add_column("difference", justify="right", no_wrap=True)
        table.add_column("verdict", min_width=_LEAST_VERDICT)
        for metric, group in groupby(rows, key=lambda row: row.metric):
            for label, base, variant, *others in self._cells(metric, list(group), plus_minus):
                cells = [label, base, *others] if is_one else [label, base, variant, *others]
                table.add_row(*cells)
        return table

    def _least_width(self, table: Table, rows: Sequence[Difference], console: Console) -> int:
        """Return the characters that the table needs if its last column is wrapped."""
        width = console.measure(table, options=console.options.update(width=1000)).maximum
        verdict = max(len(self._verdict(row)) for row in rows)
        return width - max(0, verdict - _LEAST_VERDICT)

    def _cells(self, metric: str, rows: Sequence[Difference], plus_minus: str) -> Iterator[list[Text]]:
        """Yield the six cells of each line of a metric: a line a row, then what fairness would be at random."""
        scale = _scale(rows)
        label = metric
        for row in rows:
            figures = (_mean(row.a, scale), row.variant, _mean(row.b, scale), _change(row, scale, plus_minus))
            yield [Text(cell, _STYLES.get(row.verdict, "")) for cell in (label, *figures, self._verdict(row))]
            label = ""
        floors = {tuple(map(scale.write, row.noise_floor)): row.variant for row in rows if row.noise_floor is not None}
        for (a, b), variant in floors.items():
            cells = ("  if at random", a, variant if len(floors) > 1 else "", b, "", "")
            yield [Text(cell, "dim") for cell in cells]

    def _verdict(self, row: Difference) -> str:
        part = "" if row.pairs == len(self.seeds) else f" (applies on {row.pairs} of {len(self.seeds)} seeds)"
        percent = (
            f" ({row.difference / row.a:+.0%})" if row.verdict.is_clear_difference and row.difference and row.a else ""
        )
        return f"{row.words}{percent}{part}"


def _lines(rows: Sequence[Difference]) -> Text:
    """Return the rows as sentences, for a terminal that is too narrow for columns."""
    return Text("\n").join(Text(str(row), _STYLES.get(row.verdict, "")) for row in rows)


def _is_zero(row: Difference) -> bool:
    return row.a == row.b == 0 and row.interval is not None and row.interval.half_width == 0


def _scale(rows: Sequence[Difference]) -> Scale:
    means = [abs(mean) for row in rows for mean in (row.a, row.b) if mean is not None]
    return scale_for(metric_of(rows[0].metric).unit, means, averaged=True)


def _mean(value: float | None, scale: Scale) -> str:
    return "" if value is None else scale.write(value)


def _change(row: Difference, scale: Scale, plus_minus: str) -> str:
    if row.interval is None:
        return ""
    if row.interval == Interval(0, 0, 0):
        return "0"
    scale = replace(scale, decimals=scale.decimals + 1)
    mean = f"{'+' if row.interval.mean > 0 else ''}{scale.write(row.interval.mean)}"
    if row.interval.half_width <= _ROUNDING * abs(row.interval.mean):
        return f"{mean} on each seed"
    return f"{mean} {plus_minus} {scale.write_half_width(row.interval.half_width)}"
