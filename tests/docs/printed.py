"""What commands print, as the pages in `docs/` show it: `python -m tests.docs.printed` writes it there."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap

from tests.cli.command import sim
from tests.docs.pages import ROOT, between, example, page, put_between, text

LAST_LINE = "```\n"
_OF_COMMITS = page("how-to/what-did-this-commit-change")
_ONE_PROCESS = ("-j", "1")
"""Others would take longer to start than they save."""


@dataclass(frozen=True)
class Shown:
    """A command on a page."""

    page: Path
    prepare: Callable[[Path], Path]
    """Does in a folder what the page does before the command, and returns the folder to call it in."""
    options: Sequence[str] = ()
    """What the page leaves out."""


def _with_example(folder: Path) -> Path:
    (folder / "two_nodes.yaml").write_text(example("name: two_nodes\n"), encoding="utf-8")
    return folder


def _with_results(folder: Path) -> Path:
    _with_example(folder)
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    for line in re.findall(r"^    sim (run .* --out runs/(?:main|mine))\b", text(_OF_COMMITS), flags=re.MULTILINE):
        sim(*line.split(), *_ONE_PROCESS, folder=folder)
    return folder


def _at_root(_folder: Path) -> Path:
    return ROOT


SHOWN: Mapping[str, Shown] = {
    "sim compare two_nodes.yaml --a before": Shown(page("how-to/is-it-better"), _with_example, _ONE_PROCESS),
    "sim compare runs/main runs/mine": Shown(_OF_COMMITS, _with_results),
    "sim check best_replica --seeds 5": Shown(page("how-to/check-your-router"), _at_root, _ONE_PROCESS),
    "sim explain scenarios/cache_pinning.yaml --variant fixed --request 14": Shown(
        page("how-to/look-at-a-run"), _at_root
    ),
}
"""By the command."""


def drawn(command: str) -> str:
    """What the command prints, after what its page does before it; sentences are wrapped as the page is."""
    one = SHOWN[command]
    with TemporaryDirectory() as name:
        shown = sim(*command.split()[1:], *one.options, folder=one.prepare(Path(name))).stdout
    lines = (line.rstrip() for line in shown.splitlines())
    return "\n".join(part for line in lines for part in (_wrapped(line) if len(line) > 100 else [line])) + "\n"


def _wrapped(line: str) -> list[str]:
    return wrap(line, 100, subsequent_indent=" " * (len(line) - len(line.lstrip())))


def on_its_page(command: str) -> str:
    """What the page shows."""
    return between(SHOWN[command].page, _first_lines(command), LAST_LINE)


def _first_lines(command: str) -> str:
    return f"<!-- drawn by `python -m tests.docs.printed` -->\n```text\n$ {command}\n"


if __name__ == "__main__":
    for written, where in SHOWN.items():
        put_between(where.page, _first_lines(written), drawn(written), LAST_LINE)
