"""What commands print, as the pages in `docs/` show it: `python -m tests.docs.printed` writes it there."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap

from tests.cli.command import sim
from tests.docs.pages import ROOT, between, example, page, put_between, text

OF_VARIANTS, OF_FOLDERS = "sim compare two_nodes.yaml --a before", "sim compare runs/main runs/mine"
OF_REGRESSIONS = "sim check best_replica --seeds 5"
OF_REQUEST = "sim explain scenarios/cache_pinning.yaml --variant fixed --request 14"
COMMANDS = {
    OF_VARIANTS: page("how-to/is-it-better"),
    OF_FOLDERS: page("how-to/what-did-this-commit-change"),
    OF_REGRESSIONS: page("how-to/check-your-router"),
    OF_REQUEST: page("how-to/look-at-a-run"),
}
_ONE_PROCESS = {OF_VARIANTS: ("-j", "1"), OF_FOLDERS: (), OF_REGRESSIONS: ("-j", "1"), OF_REQUEST: ()}
"""Others would take longer to start than they save."""
LAST_LINE = "```\n"


def drawn(command: str) -> str:
    """What the command prints, after what its page does before it; sentences are wrapped as the page is."""
    with TemporaryDirectory() as name:
        shown = sim(*command.split()[1:], *_ONE_PROCESS[command], folder=_prepared(Path(name), command)).stdout
    lines = (line.rstrip() for line in shown.splitlines())
    return "\n".join(part for line in lines for part in (_wrapped(line) if len(line) > 100 else [line])) + "\n"


def _wrapped(line: str) -> list[str]:
    return wrap(line, 100, subsequent_indent=" " * (len(line) - len(line.lstrip())))


def on_its_page(command: str) -> str:
    """What the page shows."""
    return between(COMMANDS[command], _first_lines(command), LAST_LINE)


def _prepared(folder: Path, command: str) -> Path:
    """Do in the folder what the page does before the command, and return the folder to call it in."""
    if command in (OF_REGRESSIONS, OF_REQUEST):
        return ROOT
    _write_example(folder)
    if command == OF_FOLDERS:
        _run_examples(folder)
    return folder


def _write_example(folder: Path) -> None:
    (folder / "two_nodes.yaml").write_text(example("name: two_nodes\n"), encoding="utf-8")


def _run_examples(folder: Path) -> None:
    """Do what the page does to have two folders of results."""
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    for line in re.findall(
        r"^    sim (run .* --out runs/(?:main|mine))\b", text(COMMANDS[OF_FOLDERS]), flags=re.MULTILINE
    ):
        sim(*line.split(), "-j", "1", folder=folder)


def _first_lines(command: str) -> str:
    return f"<!-- drawn by `python -m tests.docs.printed` -->\n```text\n$ {command}\n"


if __name__ == "__main__":
    for one, where in COMMANDS.items():
        put_between(where, _first_lines(one), drawn(one), LAST_LINE)
