"""`sim validate`: compare the simulator with a table of reference figures, row by row, and return the exit code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import complain, emit
from sim.cli.process.progress import progress
from sim.cli.process.report_files import check_report_file, write_report
from sim.cli.process.workers import workers
from sim.measure.document import to_json
from sim.scenario.text.errors import did_you_mean, found
from sim.study.batch import cores
from sim.study.validate.answer import FULL, QUICK
from sim.study.validate.entry import BadEntries, Entry, read_entries, shipped_entries
from sim.study.validate.page import page
from sim.study.validate.row import Row, failures
from sim.study.validate.table import document, line, summary
from sim.study.validate.validation import Validation, planned


@dataclass(frozen=True, slots=True)
class Selected:
    """Which rows the user chose."""

    models: Sequence[str]
    """All if empty."""
    ids: Sequence[str]
    """All if empty."""
    file: Path | None
    """Of the table; None for the one that comes with the package."""


def validate_command(
    selected: Selected, *, quick: bool, as_json: bool, markdown_file: Path | None, processes: int | None
) -> ExitCode:
    """Compare the chosen rows on that many processes, or on all cores, show them, and return the exit code.

    Raises BadInput before anything runs, WorkerDied and CannotWrite later.
    """
    check_report_file("--markdown", markdown_file)
    validation = planned(_chosen(selected), QUICK if quick else FULL, one_system_each=quick)
    rows = _compared(validation, processes, as_json=as_json)
    if as_json:
        emit(f"{to_json(document(rows))}\n")
    else:
        emit(f"\n{summary(rows)}\n")
    if markdown_file is not None:
        today = date.today().isoformat()  # noqa: DTZ011 # a page is dated where it is made
        write_report(markdown_file, page(rows, today))
    if all(row.verdict == "skipped" for row in rows):
        complain("nothing was compared: every row was skipped")
        return ExitCode.NOTHING
    return ExitCode.BROKEN if failures(rows) else ExitCode.HELD


def _chosen(selected: Selected) -> list[Entry]:
    try:
        entries = shipped_entries() if selected.file is None else read_entries(selected.file)
    except BadEntries as error:
        raise BadInput(f"--file: {error}") from None
    _require("--model", selected.models, {entry.model for entry in entries})
    _require("--id", selected.ids, {entry.id for entry in entries})
    return [
        entry
        for entry in entries
        if (not selected.models or entry.model in selected.models) and (not selected.ids or entry.id in selected.ids)
    ]


def _require(option: str, names: Sequence[str], known: set[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        lines = (f"{option}: {found(name)} is not in the table{did_you_mean(name, sorted(known))}" for name in unknown)
        raise BadInput("\n".join(lines))


def _compared(validation: Validation, processes: int | None, *, as_json: bool) -> list[Row]:
    """Return all rows in the order of the table; as text, each is shown as soon as it is there."""
    rows: list[Row] = []
    count = len(validation.systems)
    with progress(count) as display, workers(min(processes or cores(), max(1, count))) as executor:
        for of_system in validation.carried_out(executor):
            rows += of_system
            display.done(1)
            with display.put_aside():
                _show(of_system, as_json=as_json)
    others = validation.skipped()
    _show(others, as_json=as_json)
    return validation.in_order([*rows, *others])


def _show(rows: Sequence[Row], *, as_json: bool) -> None:
    if not as_json:
        emit("".join(f"{line(row)}\n" for row in rows))
