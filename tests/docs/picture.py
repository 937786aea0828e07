"""The README's picture, what `sim run scenarios/cache_pinning.yaml` shows: `python -m tests.docs.picture` draws it."""

import inspect
import io
import re
from xml.etree import ElementTree

from rich.console import Console

from sim import load
from sim.report.column import columns
from sim.report.terminal.table import ScenarioTable
from sim.study.batch import Job, RunSpec, do
from tests.docs.pages import ROOT

SCENARIO = ROOT / "scenarios/cache_pinning.yaml"
PICTURE = ROOT / "docs/pictures/cache_pinning.svg"
# Without the web fonts that rich would have the reader's browser fetch.
FORMAT = re.sub(
    r"@font-face \{\{.*?\}\}\s*",
    "",
    inspect.signature(Console.export_svg).parameters["code_format"].default,
    flags=re.DOTALL,
)


def drawn() -> str:
    file = load(SCENARIO)
    figures = do(Job(file, tuple(RunSpec(name, one.seed) for name, one in file.variants.items())))
    console = Console(record=True, file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor")
    console.print(ScenarioTable.of(file, columns(figures)))
    title = f"sim run scenarios/{SCENARIO.name}"
    return console.export_svg(title=title, code_format=FORMAT, unique_id="cache-pinning")


def words(picture: str) -> list[str]:
    """The text in the picture, its title left out."""
    texts = ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    return " ".join(text.text or "" for text in texts if not text.get("class", "").endswith("-title")).split()


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
