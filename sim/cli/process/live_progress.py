"""Progress of a live run and its remaining time, on standard error and only if that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol

from sim.clean_up import cleaned_up_by
from sim.routing.ports import Clock

if TYPE_CHECKING:
    from rich.progress import Progress

_REFRESH_S = 0.2

Watch = Callable[[Clock], None]
"""Receives the clock of a run when it begins."""


class LiveDisplay(Protocol):
    """Shows the variants as they are played."""

    def running(self, variant: str, duration_ns: int, time_scale: float) -> AbstractContextManager[Watch]:
        """Show the variant within the block."""


class NoDisplay:
    """Shows nothing, for a log or a pipe."""

    @contextmanager
    def running(self, variant: str, duration_ns: int, time_scale: float) -> Iterator[Watch]:
        yield lambda _clock: None


class TerminalLiveDisplay:
    """A bar over the real time of all variants."""

    def __init__(self, bar: "Progress", real_s: float) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=real_s)
        self._done_s = 0.0

    @contextmanager
    def running(self, variant: str, duration_ns: int, time_scale: float) -> Iterator[Watch]:
        """Advance the bar with the run's clock until the block ends."""
        stop = Event()

        def follow(clock: Clock) -> None:
            while not stop.wait(_REFRESH_S):
                played_ns = min(max(clock.now_ns(), 0), duration_ns)
                completed = self._done_s + played_ns * time_scale / 1e9
                self._bar.update(self._task, description=variant, completed=completed)

        def watch(clock: Clock) -> None:
            Thread(target=follow, args=(clock,), daemon=True).start()

        try:
            yield watch
        finally:
            stop.set()
            self._done_s += duration_ns * time_scale / 1e9


@contextmanager
def live_progress(real_s: float) -> Iterator[LiveDisplay]:
    """Show progress over so many real seconds until the block ends."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield NoDisplay()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    layout = (BarColumn(20), TextColumn("{task.description}", markup=False), TimeRemainingColumn(), TextColumn("left"))
    bar = Progress(*layout, console=Console(stderr=True), transient=True)
    with bar, cleaned_up_by(bar.stop):
        yield TerminalLiveDisplay(bar, real_s)
