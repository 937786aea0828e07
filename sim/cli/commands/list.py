"""`sim list`: the scenario files below a folder."""

from collections.abc import Iterator
from os.path import isdir
from pathlib import Path

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from sim.cli.process.console import show
from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import complain
from sim.scenario import ScenarioError, ScenarioFile
from sim.study.scenarios import load


def list_command(folder: Path, *, allow_code: bool) -> ExitCode:
    """Show each scenario's file, name, purpose and variants. Report unreadable files on standard error."""
    if not isdir(folder):
        raise BadInput(f"{folder} is not a folder; allowed: a folder with scenario files")
    code = ExitCode.NOTHING
    for path in _scenario_paths(folder):
        try:
            show(_entry(load(path, allow_code=allow_code)))
        except ScenarioError as error:
            complain(str(error))
            code = ExitCode.BAD_INPUT
        else:
            code = ExitCode.HELD if code is ExitCode.NOTHING else code
    if code is ExitCode.NOTHING:
        complain(f"{folder} holds no scenario files (.yaml or .yml)")
    return code


def _scenario_paths(folder: Path) -> Iterator[Path]:
    """Yield YAML files in order of their names, without hidden files and folders such as a virtual environment."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in (".yaml", ".yml") and not hidden and path.is_file():
            yield path


def _entry(file: ScenarioFile) -> Group:
    details = Text(f"{file.about.strip()}\n" if file.about.strip() else "")
    details.append(f"variants: {', '.join(file.variants)}", style="dim")
    return Group(Text.assemble((str(file.path), "bold"), f"  {file.name}"), Padding(details, (0, 0, 0, 2)))
