"""`sim explain`: the story of a request or of a replica's rows, and where two runs part."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sim.cli.chosen_run import ChosenRun, make_run, saved_folder, saved_folders
from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import emit
from sim.measure.document import to_json
from sim.measure.saved.run_folder import BadRunFolder
from sim.measure.story.request_story import RequestStory
from sim.measure.story.row_story import RowStory
from sim.scenario import ScenarioError
from sim.study.errors import NoSuchRequest, NoSuchRow, NoSuchVariant
from sim.study.explain.stories import explain_request, explain_row

if TYPE_CHECKING:
    from sim.measure.changes.first_difference import Parting

T = TypeVar("T")


def explain_request_command(chosen: ChosenRun, request: int, *, as_json: bool) -> ExitCode:
    """Tell the way of the request. Raises BadInput; NotTheSameRun if a saved run comes out otherwise now."""
    return _tell(_answered(lambda: explain_request(make_run(chosen), request)), as_json=as_json)


def explain_row_command(chosen: ChosenRun, label: str, *, as_json: bool) -> ExitCode:
    """Tell what became of the replica's rows. Raises what `explain_request_command` does."""
    return _tell(_answered(lambda: explain_row(make_run(chosen), label)), as_json=as_json)


def explain_difference_command(chosen: ChosenRun, one: str, other: str, *, as_json: bool) -> ExitCode:
    """Tell where two variants of the chosen run part, or two folders if no run is chosen. Raises BadInput."""
    # Here and below, because these import pandas, and stories do without it.
    from sim.report.parting import parting_lines

    parting = _answered(lambda: _parting(chosen, one, other))
    if as_json:
        emit(f"{to_json({'first_difference': None if parting is None else parting.document})}\n")
        return ExitCode.HELD
    if parting is None:
        emit(f"{one} and {other} decide the same, if perhaps at other times\n")
    elif chosen.path is None:
        # Paths are too long for the heads of a table.
        emit("\n".join([f"A {one}", f"B {other}", *parting_lines(parting, "A", "B")]) + "\n")
    else:
        emit("\n".join(parting_lines(parting, one, other)) + "\n")
    return ExitCode.HELD


def _parting(chosen: ChosenRun, one: str, other: str) -> "Parting | None":
    from sim.measure.changes.first_difference import first_difference
    from sim.study.explain.parting import parting_of, recorded

    if chosen.path is None:
        try:
            return first_difference(saved_folder(Path(one), chosen), saved_folder(Path(other), chosen))
        except BadInput as error:
            hint = "" if Path(one).exists() and Path(other).exists() else "; two variants need their RUN too"
            raise BadInput(f"{error}{hint}") from None
    if chosen.variant is not None:
        raise BadInput("--variant names one run; --first-difference A B names two variants of RUN")
    if chosen.path.is_dir():
        return first_difference(*saved_folders(chosen.path, chosen, (one, other)))
    return parting_of(*(recorded(make_run(replace(chosen, variant=variant))) for variant in (one, other)))


def _answered(ask: Callable[[], T]) -> T:
    """Return the answer. Raises BadInput if there is none."""
    try:
        return ask()
    except (BadRunFolder, NoSuchRequest, NoSuchRow, NoSuchVariant, ScenarioError) as error:
        raise BadInput(str(error)) from None


def _tell(story: RequestStory | RowStory, *, as_json: bool) -> ExitCode:
    if as_json:
        emit(f"{to_json(story.document)}\n")
        return ExitCode.HELD
    # Imported here, because `--json` does not need rich.
    from sim.cli.process.console import show
    from sim.report.terminal.story import StoryText

    show(StoryText(story))
    return ExitCode.HELD
