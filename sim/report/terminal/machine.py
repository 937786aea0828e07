"""What was measured of a machine, as a table."""

from collections.abc import Iterator, Mapping

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from sim.live.cluster.calibration import CROWD, MEANING, PERCENTILES, Calibration


class MachineTable:
    """A table for rich: a row for each kind of call, in real milliseconds."""

    def __init__(self, measured: Calibration, facts: Mapping[str, str | int], machine_s: float) -> None:
        """`machine_s` is what the machine's pace may add to any time of the comparison, in scenario time."""
        self.measured = measured
        self.facts = facts
        self.machine_s = machine_s

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the title, the table and what follows from it."""
        facts = self.facts
        where = f"{facts['system']} {facts['machine']}, {facts['cpus']} CPUs, Python {facts['python']}"
        yield Text.assemble(("the machine", "bold"), f"  {self.measured.database} on {where}")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("milliseconds")
        for title in (*(f"p{percentile}" for percentile in PERCENTILES), "count"):
            table.add_column(title, justify="right")
        for name, sample in self.measured.samples().items():
            figures = (f"{sample.percentile_ns(percentile) / 1e6:.3f}" for percentile in PERCENTILES)
            table.add_row(MEANING[name], *figures, str(len(sample.durations_ns)))
        yield table
        if late_picks := self.measured.late_picks:
            some = sum(1 for count in late_picks if count)
            yield Text(
                f"in {some} of {len(late_picks)} crowds of {CROWD} picks some began when the first had ended, "
                f"at most {max(late_picks)}"
            )
        yield Text(f"beside what the replications span, any time may be off by {self.machine_s:.3g} s")
