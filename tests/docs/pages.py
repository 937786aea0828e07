"""The texts for users: the README and the pages in `docs/`, with the examples that stand in them."""

import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").rglob("*.md")))


def page(name: str) -> Path:
    """The page in `docs/` of that path, as in `how-to/run-scenarios`."""
    return ROOT / "docs" / f"{name}.md"


def blocks(path: Path, language: str) -> list[str]:
    """The fenced examples of one page in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text(path), flags=re.DOTALL | re.MULTILINE)


def examples(paths: Iterable[Path]) -> list[str]:
    """The fenced examples of some pages in Python or YAML."""
    return [block for path in paths for language in ("python", "yaml") for block in blocks(path, language)]


def example(words: str) -> str:
    """The only example in Python or YAML, on any page, that holds these words."""
    [found] = [block for block in examples(PAGES) if words in block]
    return found


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def put_between(path: Path, first_line: str, drawn: str, last_line: str) -> None:
    """Replace what stands between the two lines on a page. Raise ValueError if the first is not there."""
    before, found, rest = text(path).partition(first_line)
    if not found:
        raise ValueError(f"{path} has no line {first_line!r}")
    path.write_text(f"{before}{first_line}{drawn}{last_line}{rest.partition(last_line)[2]}", encoding="utf-8")


def between(path: Path, first_line: str, last_line: str) -> str:
    """What stands between the two lines on a page."""
    return text(path).partition(first_line)[2].partition(last_line)[0]
