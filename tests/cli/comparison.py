"""The README's comparison, as the command prints it: `python -m tests.cli.comparison` writes it there."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap

from tests.cli.command import sim
from tests.cli.picture import ROOT

README = ROOT / "README.md"
COMMAND = "sim compare two_nodes.yaml --a before"
FIRST_LINES = f"<!-- drawn by `python -m tests.cli.comparison` -->\n```text\n$ {COMMAND}\n"
LAST_LINE = "```\n"


def drawn() -> str:
    """What the command prints of the README's first scenario; sentences are wrapped as the README is."""
    text = README.read_text(encoding="utf-8")
    [scenario, *_] = re.findall(r"^```yaml\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    with TemporaryDirectory() as folder:
        (Path(folder) / "two_nodes.yaml").write_text(scenario, encoding="utf-8")
        shown = sim(*COMMAND.split()[1:], folder=Path(folder)).stdout
    lines = (line.rstrip() for line in shown.splitlines())
    return "\n".join(part for line in lines for part in (wrap(line, 100) if len(line) > 100 else [line])) + "\n"


def in_readme() -> str:
    """What the README shows."""
    return README.read_text(encoding="utf-8").partition(FIRST_LINES)[2].partition(LAST_LINE)[0]


if __name__ == "__main__":
    before, _, rest = README.read_text(encoding="utf-8").partition(FIRST_LINES)
    after = rest.partition(LAST_LINE)[2]
    README.write_text(f"{before}{FIRST_LINES}{drawn()}{LAST_LINE}{after}", encoding="utf-8")
