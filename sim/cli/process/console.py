"""Results as rich lays them out: in colour on a terminal, unless NO_COLOR is set; else in plain text."""

from typing import NoReturn

from rich.console import Console, RenderableType

from sim.cli.process.exits import OutputClosed
from sim.cli.process.output import writing_results


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Raise the error, because rich would exit with 1."""
        raise OutputClosed


def show(renderable: RenderableType) -> None:
    """Write to standard output. Raises OutputClosed if the reader has left, CannotWrite if there is no room.

    Sentences are wrapped for a terminal only: who searches a pipe or a log wants whole lines.
    """
    console = _Console(highlight=False)
    with writing_results():
        console.print(renderable, soft_wrap=not console.is_terminal)
