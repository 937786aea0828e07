"""Progress of `sim run`, on standard error and only if that is a terminal. It reads clocks and changes nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sim.clean_up import cleaned_up_by
from sim.observer import RunView
from sim.routing.ports import Clock

if TYPE_CHECKING:
    from rich.progress import Progress

    from sim.study.batch import RunSpec


class Display:
    """Shows nothing, for a log or a pipe."""

    def started(self, run: "RunSpec") -> None:
        """Note which run begins next."""

    def begin(self, view: RunView) -> None:
        """Note that it begins now."""

    def done(self, runs: int) -> None:
        """Note that so many more runs are done."""

    @contextmanager
    def put_aside(self) -> Iterator[None]:
        """Leave the terminal to other output for a while."""
        yield


class TerminalDisplay(Display):
    """One temporary line: runs done, the current run and its simulated time."""

    def __init__(self, bar: "Progress", runs: int) -> None:
        self._bar = bar
        self._task = bar.add_task("running", total=runs, clock=None)

    def started(self, run: "RunSpec") -> None:
        """Show the run."""
        self._bar.update(self._task, description=f"{run.variant}, seed {run.seed}")

    def begin(self, view: RunView) -> None:
        """Show the run's clock."""
        self._bar.update(self._task, clock=view.clock)

    def done(self, runs: int) -> None:
        """Move the bar on by so many runs."""
        self._bar.advance(self._task, runs)

    @contextmanager
    def put_aside(self) -> Iterator[None]:
        """Wipe the line, and draw it again afterwards."""
        self._bar.stop()
        yield
        self._bar.start()


@contextmanager
def progress(runs: int) -> Iterator[Display]:
    """Show the progress of so many runs until the block ends."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield Display()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    class SimulatedTime(ProgressColumn):
        def render(self, task: Task) -> Text:
            clock: Clock | None = task.fields["clock"]
            return Text(f"{clock.now_ns() / 1e9:,.0f} s simulated" if clock else "")

    layout = (BarColumn(20), MofNCompleteColumn(), TextColumn("{task.description}", markup=False), SimulatedTime())
    bar = Progress(*layout, console=Console(stderr=True), transient=True)
    with bar, cleaned_up_by(bar.stop):
        yield TerminalDisplay(bar, runs)
