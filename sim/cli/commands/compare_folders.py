"""`sim compare BASE_DIR NEW_DIR`: what changed between two result folders, and from which decision on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from os.path import relpath
from pathlib import Path

from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import emit
from sim.cli.process.report_files import publish
from sim.cli.result_folders import read_folders
from sim.measure.changes.folder_comparison import FolderComparison, compare_results
from sim.measure.differences import Demand
from sim.measure.document import to_json
from sim.measure.saved.result_folder import ResultFolder
from sim.measure.saved.run_folder import BadRunFolder
from sim.study.comparison import CHIEF_METRICS, checked_metric
from sim.study.errors import NoSuchMetric


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """What the user chose beside the two folders."""

    metrics: Sequence[str]
    """Empty for the chief ones."""
    confidence: float
    margin: float
    markdown: Path | None = None
    """Where to write the comparison as Markdown."""


def compare_folders(base: Path, new: Path, options: FolderOptions, *, as_json: bool, fail_on_worse: bool) -> ExitCode:
    """Compare the folders, show what changed and return the exit code. Raises BadInput for what is no such folder."""
    try:
        metrics = list(map(checked_metric, options.metrics)) or CHIEF_METRICS
    except NoSuchMetric as error:
        raise BadInput(str(error)) from None
    folders = read_folders([base, new])
    comparison = _compared(folders[base], folders[new], metrics, Demand(options.confidence, options.margin))
    if as_json:
        emit(f"{to_json(comparison.document)}\n")
    else:
        _show(comparison)
    publish(partial(_markdown, comparison, options.markdown), options.markdown)
    return ExitCode.BROKEN if fail_on_worse and comparison.is_worse else ExitCode.HELD


def _compared(base: ResultFolder, new: ResultFolder, metrics: Sequence[str], demand: Demand) -> FolderComparison:
    try:
        comparison = compare_results(base, new, metrics, demand)
    except BadRunFolder as error:
        raise BadInput(str(error)) from None
    if not comparison.variants:
        raise BadInput(
            f"{base.path} and {new.path} have no run in common; allowed: runs of one scenario, variant, seed"
        )
    return comparison


def _show(comparison: FolderComparison) -> None:
    # Imported here, because `--json` does not need rich.
    from sim.cli.process.console import show
    from sim.report.terminal.folder_changes import FolderChanges

    show(FolderChanges(comparison))


def _markdown(comparison: FolderComparison, file: Path | None) -> str:
    from sim.report.ci.comparison_markdown import folders_markdown

    return folders_markdown(comparison, () if file is None else _pictures(comparison.new, file))


def _pictures(folder: Path, file: Path) -> list[str]:
    """Return the pictures that somebody has put beside the runs, as links from the file."""
    found = sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".svg"))
    return [Path(relpath(path, file.parent)).as_posix() for path in found]
