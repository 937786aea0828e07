"""What is wrong with a scenario file: every fault at once, each with its place and what is allowed instead."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHOWN = 20
"""Number of problems that are printed. The others are counted."""

Path = tuple[str | int, ...]
"""Where a value sits in a document: keys of mappings and indexes of lists, from the top."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where it was written, which key it concerns, what was found and what is allowed."""

    place: str
    """`file:line:column`, `file`, or `--set key`."""
    key: str
    """The key's path, such as `models[0].service.mean`; empty if the place says it all."""
    text: str
    word: str = ""
    """What was written, if it may be a misspelling of one of `known`."""
    known: tuple[str, ...] = ()
    order: tuple[int, int] = (0, 0)
    """Line and column, by which problems are listed."""

    def __str__(self) -> str:
        """Read as one line."""
        head = f"{self.place}: {self.key}: " if self.key else f"{self.place}: "
        return f"{head}{self.text}{did_you_mean(self.word, self.known)}"


class ScenarioError(Exception):
    """A scenario cannot be used as it is written. `problems` holds every fault found; the text has a line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """List the first 20 problems, one a line, and count the rest."""
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        hidden = len(self.problems) - SHOWN
        return "\n".join([*lines, f"and {hidden} more, shown once these are mended"] if hidden > 0 else lines)


def found(value: object) -> str:
    """Return what was written, escaped and cut so that it can stand in a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (tuple, list)):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}... ({len(str(value))} characters)"


def escaped(text: str) -> str:
    """Return the text with escapes for what cannot be seen, such as a control character or a space of no width."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def plain(word: str) -> str:
    """Return a word without quotes, escaped and cut like `found`."""
    return found(word)[1:-1] if len(word) <= 50 else found(word)


def listed(words: Iterable[str], rest: str = "in the file") -> str:
    """Return the first dozen words with commas, the number of the others and where these `rest` are."""
    words = [plain(word) for word in words]
    more = f" and {len(words) - 12} more {rest}" if len(words) > 12 else ""
    return ", ".join(words[:12]) + more


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest known word, or nothing if none is near."""
    near = nearest(word, known)
    return f"; did you mean '{plain(near)}'?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that resembles this one most, or an empty text if none does."""
    # Cut, because the comparison takes time with the product of both lengths.
    matches = difflib.get_close_matches(word[:100], list(known)[:1000], n=1)
    return matches[0] if matches else ""


def dotted(path: Path) -> str:
    """Return a path as people read it: `models[0].service.mean`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
