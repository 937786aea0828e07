"""A comparison as the table that terminals, pull requests and pages show."""

from sim.report.terminal.differences import DifferencesTable
from sim.study.comparison import Comparison


def differences_table(comparison: Comparison) -> DifferencesTable:
    """Return the table of a comparison."""
    return DifferencesTable(
        comparison.scenario,
        comparison.question.a,
        comparison.question.b,
        comparison.seeds,
        comparison.rows,
        comparison.identical,
        comparison.sentences,
    )
