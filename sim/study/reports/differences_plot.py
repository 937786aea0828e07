"""The plot of a comparison for a file or a page."""

from matplotlib.axes import Axes

from sim.report.plots.comparison_plots import ComparisonPlots
from sim.report.plots.look.axes import file_axes
from sim.study.comparison import Comparison


def differences_plot(comparison: Comparison) -> Axes:
    """Draw all differences of the comparison."""
    question = comparison.question
    return ComparisonPlots(question.a, comparison.rows, question.demand.margin, file_axes).differences()
