"""The results of `sim run` for a pull request: the verdict in the first line, figures in tables, and what failed."""

from collections.abc import Iterator, Sequence

from sim.measure.changes.baseline_changes import BaselineChange
from sim.measure.expectations import Verdict
from sim.report.ci.markdown import code, paragraphs, plain, table
from sim.report.column import VariantColumn
from sim.report.marks import UNICODE
from sim.report.sentences import judged_lines, load_lines, seeds_line
from sim.report.terminal.bars import mean_share, replica, shares_by_model
from sim.report.terminal.rows import Row, figure_rows
from sim.report.terminal.table import ScenarioTable


def run_markdown(scenarios: Sequence[ScenarioTable], changes: Sequence[BaselineChange] = ()) -> str:
    """Return the results of the scenarios, and how they stand to a baseline, as one piece of Markdown."""
    outcomes = [verdict for one in scenarios for column in one.columns for verdict in column.outcomes]
    moved = sum(len(one.rows) + len(one.gone) for one in changes)
    return paragraphs(
        [
            _verdict(outcomes, scenarios) + (f"; ✗ **figures other than in the baseline: {moved}**" if moved else ""),
            "\n".join(f"- {plain(line)}" for one in changes for line in one.lines),
            *(part for one in scenarios for part in _scenario(one)),
        ]
    )


def _verdict(outcomes: Sequence[Verdict], scenarios: Sequence[ScenarioTable]) -> str:
    failed = sum(verdict.passed is False for verdict in outcomes)
    checked = sum(verdict.passed is not None for verdict in outcomes)
    names = ", ".join(plain(one.name) for one in scenarios)
    if failed:
        return f"✗ **Expectations: {failed} of {len(outcomes)} failed**: {names}"
    if not checked:
        return f"**Expectations: none was checked**: {names}"
    return f"✓ **Expectations: {checked} of {len(outcomes)} hold**: {names}"


def _scenario(scenario: ScenarioTable) -> Iterator[str]:
    yield f"### {plain(scenario.name)}, {seeds_line(scenario.columns, UNICODE)}"
    yield plain(scenario.about)
    rows = figure_rows(scenario.columns, UNICODE, speeds_differ=scenario.speeds_differ)
    figures = ([_label(row), *(plain(cell.text) for cell in row.cells)] for row in rows)
    variants = [plain(column.variant) for column in scenario.columns]
    yield table(["", *variants], [*_shares(scenario.columns), *figures])
    yield "\n".join(f"- {plain(line.plain)}" for line in load_lines(scenario.columns, UNICODE))
    yield "\n".join(_lines(scenario.columns))
    digests = "\n".join(
        f"- digest of {plain(column.variant)}, seed {column.seeds[0]}: {code(column.digests[0])}"
        for column in scenario.columns
    )
    yield f"<details><summary>Digests</summary>\n\n{digests}\n\n</details>"


def _label(row: Row) -> str:
    """Return the row's label as code; that of a part of the run stands below the whole run's, and is marked as such."""
    return f"… {code(row.label)}" if row.is_part else code(row.label)


def _shares(columns: Sequence[VariantColumn]) -> Iterator[list[str]]:
    for metric in (name for of_model in shares_by_model(columns) for name in of_model):
        shares = (mean_share(column, metric) for column in columns)
        yield [
            f"share of {plain(replica(metric))}",
            *(UNICODE.absent if one is None else f"{one:.0%}" for one in shares),
        ]


def _lines(columns: Sequence[VariantColumn]) -> Iterator[str]:
    """Yield a point for each expectation."""
    for _, (first, *more) in judged_lines(columns, UNICODE):
        yield "  \n".join([f"- {plain(first)}", *(f"  {plain(one.strip())}" for one in more)])
