"""`sim list`: the scenario files below a folder."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.text import Text

from sim.cli.process.console import show
from sim.cli.process.exits import ExitCode
from sim.cli.process.output import complain, emit
from sim.cli.scenario_files import check_folder
from sim.measure.document import to_json
from sim.scenario import ScenarioError, ScenarioFile
from sim.study.scenarios import files_below, load


def list_command(folder: Path, *, as_json: bool, allow_code: bool) -> ExitCode:
    """Show each scenario's file, name, purpose and variants, first of those directly in the folder.

    Unreadable files are reported on standard error.
    """
    check_folder(folder)
    files: list[ScenarioFile] = []
    is_any_bad = False
    for path in sorted(files_below(folder), key=lambda path: path.parent != folder):
        try:
            files.append(load(path, allow_code=allow_code))
        except ScenarioError as error:
            complain(str(error))
            is_any_bad = True
            continue
        if not as_json:
            show(_Entry(files[-1]))
    if as_json:
        emit(f"{to_json([_document(file) for file in files])}\n")
    if is_any_bad:
        return ExitCode.BAD_INPUT
    if not files:
        complain(f"{folder} holds no scenario files (.yaml or .yml)")
        return ExitCode.NOTHING
    return ExitCode.HELD


def _document(file: ScenarioFile) -> dict[str, object]:
    return {
        "file": str(file.path),
        "name": file.name,
        "about": file.about.strip(),
        "variants": list(file.variants),
        "expectations": len(file.expect),
    }


@dataclass(frozen=True, slots=True)
class _Entry:
    file: ScenarioFile

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Indent what is below the file's name; for a terminal also where a line is wrapped."""
        yield Text.assemble((str(self.file.path), "bold"), f"  {self.file.name}")
        about = map(Text, self.file.about.strip().splitlines())
        for line in (*about, Text(f"variants: {', '.join(self.file.variants)}", style="dim")):
            yield Padding(line, (0, 0, 0, 2), expand=False) if options.is_terminal else Text.assemble("  ", line)
