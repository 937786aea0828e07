"""`sim compare SCENARIO`: run variants on the same seeds, show which is better, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import complain, emit
from sim.cli.process.progress import progress
from sim.cli.process.report_files import publish, write_report
from sim.cli.process.workers import workers
from sim.measure.document import to_json
from sim.scenario import ScenarioFile
from sim.study.batch import cores
from sim.study.compare import Replications, asked, compare_variants, sides
from sim.study.comparison import Comparison, Question
from sim.study.errors import NoSuchMetric, NoSuchVariant


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What the user chose beside the scenario; None for what was left out."""

    a: str | None
    b: Sequence[str] | None
    metrics: Sequence[str] | None
    reps: int
    precision: float | None
    max_reps: int
    seed: int | None
    confidence: float
    margin: float
    markdown: Path | None = None
    """Where to write the comparison as Markdown."""
    plot: Path | None = None
    """Where to draw it."""

    def question(self, file: ScenarioFile) -> Question:
        """Return what is asked of the file. Raises BadInput."""
        try:
            base, others = sides(file, self.a, self.b)
            return asked(base, others, self.metrics, self.confidence, self.margin)
        except (NoSuchVariant, NoSuchMetric, ValueError) as error:
            raise BadInput(str(error)) from None

    def replications(self, file: ScenarioFile, base: str) -> Replications:
        """Return how many runs to do. Raises BadInput."""
        first = file.variants[base].seed if self.seed is None else self.seed
        try:
            return Replications(first, self.reps, self.precision, self.max_reps)
        except ValueError as error:
            raise BadInput(str(error)) from None


def compare_command(
    file: ScenarioFile, options: CompareOptions, *, as_json: bool, fail_on_worse: bool, processes: int | None
) -> ExitCode:
    """Compare the variants on that many processes, or on all cores, and return the exit code.

    Raises BadInput before anything runs, WorkerDied later.
    """
    question = options.question(file)
    replications = options.replications(file, question.a)
    most_runs = replications.budget * (1 + len(question.b))
    with progress(most_runs) as display, workers(min(processes or cores(), replications.batch)) as executor:
        comparison = compare_variants(file, question, replications, executor, display)
    if as_json:
        emit(f"{to_json(comparison.document)}\n")
    else:
        show_comparison(comparison)
    publish(partial(_markdown, comparison), options.markdown)
    if options.plot is not None:
        write_report(options.plot, _picture(comparison))
    if not any(row.a or row.b for row in comparison.rows):
        complain(f"{file.path}: every figure is 0 or absent: nothing was compared")
        return ExitCode.NOTHING
    return ExitCode.BROKEN if fail_on_worse and comparison.worse else ExitCode.HELD


def show_comparison(comparison: Comparison) -> None:
    """Print the comparison as a table."""
    # Imported here, because `--json` does not need rich.
    from sim.cli.process.console import show
    from sim.study.reports.differences_table import differences_table

    show(differences_table(comparison))


def _markdown(comparison: Comparison) -> str:
    from sim.report.ci.comparison_markdown import variants_markdown
    from sim.study.reports.differences_table import differences_table

    return variants_markdown(differences_table(comparison))


def _picture(comparison: Comparison) -> str:
    from sim.report.plots.look.image import svg_file
    from sim.study.reports.differences_plot import differences_plot

    return svg_file(differences_plot(comparison))
