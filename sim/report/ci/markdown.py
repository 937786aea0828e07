"""The pieces of Markdown that a pull request or the summary of a CI job shows, as GitHub reads it."""

import re
from collections.abc import Collection, Iterable, Sequence
from html import escape

_MARKUP = re.compile(r"[\\`*\[\]|~]|(?<!\w)[_#]|_(?!\w)")


def plain(text: str) -> str:
    """Return text that Markdown shows as it is, also within a table.

    An underscore within a word is no markup to GitHub, and names read better without backslashes.
    """
    return escape(_MARKUP.sub(r"\\\g<0>", text), quote=False)


def code(text: str) -> str:
    """Return text as code; names of metrics are easier to read so."""
    return f"`{text.replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], flush_left: Collection[int] = (0,)) -> str:
    """Return a table of cells that are Markdown; the columns of these indexes are flush left, the others right."""
    lines = [head, [":--" if column in flush_left else "--:" for column in range(len(head))], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def paragraphs(parts: Iterable[str]) -> str:
    """Return the parts that are not empty, with an empty line between them, and the end of the last line."""
    return "\n\n".join(filter(None, parts)) + "\n"
