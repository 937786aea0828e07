"""`sim list --regressions`: the known regressions, each with what shows it and where it was found."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.text import Text

from sim.cli.process.console import show
from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import complain, emit
from sim.cli.scenario_files import check_folder
from sim.measure.document import to_json
from sim.scenario import ScenarioError
from sim.study.regressions.corpus import KnownRegression, corpus_folder, load_corpus


def list_regressions_command(folder: Path | None, *, as_json: bool, allow_code: bool) -> ExitCode:
    """Show the regressions of the folder, or of the corpus that comes with `sim`. Raises BadInput."""
    folder = folder or corpus_folder()
    check_folder(folder)
    try:
        known = load_corpus(folder, allow_code=allow_code)
    except ScenarioError as error:
        raise BadInput(str(error)) from None
    if as_json:
        emit(f"{to_json([_document(one) for one in known])}\n")
    else:
        for one in known:
            show(_Entry(one))
    if not known:
        complain(f"{folder} holds no scenario file with a regression block")
        return ExitCode.NOTHING
    return ExitCode.HELD


def _document(known: KnownRegression) -> dict[str, object]:
    about = known.about
    return {
        "file": str(known.file.path),
        "name": known.name,
        "symptom": about.symptom,
        "metric": about.metric,
        "decided_by": about.decided_by,
        "source": about.source,
        "broken": about.broken,
        "repaired": about.repaired,
        "check_in": about.check_in,
        "family_limit": about.family_limit,
    }


@dataclass(frozen=True, slots=True)
class _Entry:
    known: KnownRegression

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Indent what is below the name; for a terminal also where a line is wrapped."""
        about = self.known.about
        yield Text(self.known.name, style="bold")
        shown_by = f"shown by {about.metric}, decided by {self.known.decided_by}; {about.source}"
        for line in (Text(about.symptom), Text(shown_by, style="dim")):
            yield Padding(line, (0, 0, 0, 2), expand=False) if options.is_terminal else Text.assemble("  ", line)
