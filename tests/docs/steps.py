"""What a page tells its reader to do, step by step."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from tests.docs.pages import text

_FILE = re.compile(r"`([\w./-]+\.(?:py|yaml))`|the file `([\w./-]+)`")
_FILE_OF_ANOTHER_PAGE = re.compile(r"`([\w./-]+)`\s+of\s+\[[^]]*\]\(([^)#]+\.md)\)")
_LEFT_OUT = re.compile(r"<!-- not run by the tests: (.+) -->")
_EXIT_CODE = re.compile(r"exit code (\d+)(?! if)")


@dataclass(frozen=True)
class Write:
    """Write a file."""

    name: str
    content: str


@dataclass(frozen=True)
class Run:
    """Run a line of the shell, which ends with that exit code."""

    line: str
    exit_code: int


@dataclass(frozen=True)
class See:
    """See these lines in what the last command printed."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class LeaveOut:
    """Run nothing of this block, for that reason."""

    block: str
    reason: str


Step = Write | Run | See | LeaveOut


def steps(page: Path) -> Iterator[Step]:
    """The steps of a page, in order.

    A block in Python or YAML is written to the file that the paragraph above it names last, if it names one. A
    paragraph that names a file "of" another page takes it from there. What is indented is for the shell. A comment in
    HTML before a block may leave it out.
    """
    above, reason = "", None
    for token in MarkdownIt().parse(text(page)):
        if token.type == "inline":
            above = token.content
            yield from _of_other_pages(page, above)
        elif token.type == "html_block" and (found := _LEFT_OUT.search(token.content)):
            reason = found[1]
        elif token.type in ("fence", "code_block"):
            yield from [LeaveOut(token.content, reason)] if reason else _of_block(token.info, token.content, above)
            reason = None


def _of_other_pages(page: Path, paragraph: str) -> Iterator[Write]:
    for name, other in _FILE_OF_ANOTHER_PAGE.findall(paragraph):
        written = [step for step in steps(page.parent / other) if isinstance(step, Write) and step.name == name]
        if not written:
            raise ValueError(f"{page.name} takes {name} from {other}, which does not write it")
        yield written[0]


def _of_block(language: str, block: str, above: str) -> Iterator[Step]:
    if language in ("python", "yaml"):
        names = [with_ending or other for with_ending, other in _FILE.findall(above)]
        if names:
            yield Write(names[-1], block)
    elif language == "text" and not block.startswith("$ "):  # What follows a prompt has a test of its own.
        yield See(tuple(block.splitlines()))
    elif language in ("sh", ""):
        for line in block.splitlines():
            yield Run(line, _exit_code(line.partition(" #")[2]))


def _exit_code(comment: str) -> int:
    """What the comment behind a command says, 0 if it says nothing, 1 if it says that the command fails."""
    said = _EXIT_CODE.search(comment)
    return int(said[1]) if said else int(comment.endswith(" fails"))
