"""Live and simulated figures as a person reads them."""

import io

from rich.console import Console

from sim.report.terminal.comparison import ComparisonTable
from sim.study.live.comparison import ComparedFigure

AGREES = ComparedFigure("fairness.jain", "fixed", 0.97, 0.98, "within 0.05", passed=True)
DIFFERS = ComparedFigure("probes.timeouts", "fixed", 12, 4.5, "1 to 8", passed=False)


def printed(*rows: ComparedFigure, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(ComparisonTable("probe_stall", rows))
    return out.getvalue()


def test_each_figure_is_marked_and_the_last_line_counts_those_that_agree() -> None:
    shown = printed(AGREES, DIFFERS)

    assert "✓ fairness.jain" in shown
    assert "✗ probes.timeouts" in shown
    assert "1 of 2 agree" in shown


def test_a_figure_that_does_not_apply_is_a_dot() -> None:
    shown = printed(ComparedFigure("fairness.jain", "fixed", None, 0.98, "within 0.05", passed=False))

    assert " · " in shown


def test_a_narrow_terminal_folds_names_and_cuts_none() -> None:
    shown = printed(
        ComparedFigure("replicas.nvidia-thor1#0.share", "fixed", 1, 1, "within 0.05", passed=True), width=40
    )

    assert max(map(len, shown.splitlines())) <= 40
    assert "…" not in shown
