"""Live and simulated figures side by side, with the tolerance and a verdict on each."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text


class ComparedMetric(Protocol):
    """One metric, live and simulated."""

    @property
    def metric(self) -> str:
        """Name of the metric."""

    @property
    def variant(self) -> str:
        """Variant of the two runs."""

    @property
    def live(self) -> float | None:
        """The live figure; None if it does not apply."""

    @property
    def simulated(self) -> float | None:
        """The simulated figure; None if it does not apply."""

    @property
    def tolerance(self) -> str:
        """The bound that the live figure must keep."""

    @property
    def passed(self) -> bool:
        """Whether the live figure keeps the bound."""


class ComparisonTable:
    """A table for rich. Figures that differ too much are red and marked."""

    def __init__(self, name: str, rows: Sequence[ComparedMetric]) -> None:
        self.name = name
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the title, the table and the count."""
        yield Text.assemble((self.name, "bold"), "  live and simulated")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for title in ("", "variant", "live", "simulated", "tolerance"):
            table.add_column(title, justify="right" if title in ("live", "simulated") else "left", overflow="fold")
        for row in self.rows:
            mark = "✓" if row.passed else "✗"
            cells = (f"{mark} {row.metric}", row.variant, _figure(row.live), _figure(row.simulated), row.tolerance)
            table.add_row(*(Text(cell) for cell in cells), style="" if row.passed else "bold red")
        yield table
        failed = sum(not row.passed for row in self.rows)
        yield Text(f"{len(self.rows) - failed} of {len(self.rows)} agree", style="bold red" if failed else "green")


def _figure(value: float | None) -> str:
    return "·" if value is None else f"{value:.4g}"
