"""Stories on the terminal."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from sim.measure.story.layout import Part, Story

_STYLES = {Part.HEAD: "bold", Part.STEP: "", Part.MEANWHILE: "dim", Part.CANDIDATE: "dim", Part.TAKEN: "cyan"}


@dataclass(frozen=True, slots=True)
class StoryText:
    """A story, printed by a rich console: folded for a terminal, in whole lines where rich is to fold nothing."""

    story: Story

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield a line of text for each line of the story."""
        for part, text in self.story.lines(None if options.no_wrap else options.max_width):
            yield Text(text, _STYLES[part])
