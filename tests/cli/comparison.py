"""The README's comparisons and its check, as printed: `python -m tests.cli.comparison` writes them there."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap

from tests.cli.command import sim
from tests.cli.picture import ROOT

README = ROOT / "README.md"
OF_VARIANTS, OF_FOLDERS = "sim compare two_nodes.yaml --a before", "sim compare runs/main runs/mine"
OF_REGRESSIONS = "sim check best_replica --seeds 5"
COMMANDS = (OF_VARIANTS, OF_FOLDERS, OF_REGRESSIONS)
_ONE_PROCESS = {OF_VARIANTS: ("-j", "1"), OF_FOLDERS: (), OF_REGRESSIONS: ("-j", "1")}
"""Others would take longer to start than they save."""
LAST_LINE = "```\n"


def drawn(command: str) -> str:
    """What the command prints, after what the README does before it; sentences are wrapped as the README is."""
    with TemporaryDirectory() as name:
        shown = sim(*command.split()[1:], *_ONE_PROCESS[command], folder=_prepared(Path(name), command)).stdout
    lines = (line.rstrip() for line in shown.splitlines())
    return "\n".join(part for line in lines for part in (_wrapped(line) if len(line) > 100 else [line])) + "\n"


def _wrapped(line: str) -> list[str]:
    return wrap(line, 100, subsequent_indent=" " * (len(line) - len(line.lstrip())))


def in_readme(command: str) -> str:
    """What the README shows."""
    return _text().partition(_first_lines(command))[2].partition(LAST_LINE)[0]


def _prepared(folder: Path, command: str) -> Path:
    """Do in the folder what the README does before the command, and return the folder to call it in."""
    if command == OF_REGRESSIONS:
        return ROOT
    _write_example(folder)
    if command == OF_FOLDERS:
        _run_examples(folder)
    return folder


def _write_example(folder: Path) -> None:
    """Write the README's first scenario."""
    [scenario, *_] = re.findall(r"^```yaml\n(.*?)^```$", _text(), flags=re.DOTALL | re.MULTILINE)
    (folder / "two_nodes.yaml").write_text(scenario, encoding="utf-8")


def _run_examples(folder: Path) -> None:
    """Do what the README does to have two folders of results."""
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    for line in re.findall(r"^    sim (run .* --out runs/(?:main|mine))\b", _text(), flags=re.MULTILINE):
        sim(*line.split(), "-j", "1", folder=folder)


def _first_lines(command: str) -> str:
    return f"<!-- drawn by `python -m tests.cli.comparison` -->\n```text\n$ {command}\n"


def _text() -> str:
    return README.read_text(encoding="utf-8")


if __name__ == "__main__":
    for one in COMMANDS:
        before, _, rest = _text().partition(_first_lines(one))
        after = rest.partition(LAST_LINE)[2]
        README.write_text(f"{before}{_first_lines(one)}{drawn(one)}{LAST_LINE}{after}", encoding="utf-8")
