"""The rows of figures in a table: which metrics have one, and what each variant's figure is.

A label is the metric's name and figures are in the metric's own unit, so that an expectation can be written from them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sim.measure.catalogue import CATALOGUE, Shown, metric_of
from sim.measure.expectations import Verdict
from sim.measure.window import Window
from sim.report.column import VariantColumn
from sim.report.figures import scale_for
from sim.report.marks import Mark, Signs, mark_of
from sim.scenario.vocabulary import replica_of_share

_WHOLE_RUN = Window()


@dataclass(frozen=True, slots=True)
class Cell:
    """One variant's figure as it is written."""

    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Row:
    """One metric over one window."""

    label: str
    cells: Sequence[Cell]
    is_part: bool
    """Whether it is over a part of the run; then it stands below that of the whole run, and the label is its window."""

    @property
    def indented(self) -> str:
        """The label as plain text has it."""
        return f"  {self.label}" if self.is_part else self.label


def figure_rows(columns: Sequence[VariantColumn], signs: Signs, *, speeds_differ: bool) -> list[Row]:
    """Return the rows of the short list, and of whatever else is expected.

    A metric over a part of the run has a row below that of the whole run. A metric that is 0 everywhere has none,
    unless it was judged.
    """
    windows = _expected_windows(columns)
    rows = []
    for metric in dict.fromkeys([*_short_list(speeds_differ=speeds_differ), *windows]):
        judged = windows.get(metric, [])
        if is_replica_share(metric) and judged in ([], [_WHOLE_RUN]):
            continue  # Its bar says it.
        rows += [
            _row(columns, metric, window, signs)
            for window in dict.fromkeys([_WHOLE_RUN, *judged])
            if judged or _is_worth_a_row(columns, metric)
        ]
    return rows


def values(column: VariantColumn, metric: str, window: Window = _WHOLE_RUN) -> list[float]:
    """Return the variant's figures, one for each run to which the metric applies."""
    if window == _WHOLE_RUN:
        return [metrics[metric] for metrics in column.metrics if metric in metrics]
    of_runs = (next(_verdicts([run], metric, window), None) for run in column.verdicts)
    return [one.value for one in of_runs if one is not None and one.value is not None]


def mark(column: VariantColumn, metric: str, window: Window = _WHOLE_RUN) -> Mark:
    """Return how the variant's figure stands to all that is expected of it, in all runs."""
    return mark_of(_verdicts([column.outcomes], metric, window))


def is_replica_share(metric: str) -> bool:
    """Tell whether the metric is what bars show: `replicas.<label>.share`."""
    return replica_of_share(metric) is not None


def _verdicts(runs: Iterable[Sequence[Verdict]], metric: str, window: Window) -> Iterator[Verdict]:
    return (one for run in runs for one in run if (one.metric, one.window) == (metric, window))


def _expected_windows(columns: Sequence[VariantColumn]) -> dict[str, list[Window]]:
    windows: dict[str, dict[Window, None]] = {}
    for verdict in (one for column in columns for run in column.verdicts for one in run):
        windows.setdefault(verdict.metric, {}).setdefault(verdict.window)
    return {metric: list(of_metric) for metric, of_metric in windows.items()}


def _short_list(*, speeds_differ: bool) -> Iterator[str]:
    shown = {Shown.ALWAYS, Shown.IF_ANY} | ({Shown.IF_SPEEDS_DIFFER} if speeds_differ else set())
    return (metric.name for metric in CATALOGUE if metric.shown in shown)


def _is_worth_a_row(columns: Sequence[VariantColumn], metric: str) -> bool:
    known = [value for column in columns for value in values(column, metric)]
    return any(known) if metric_of(metric).shown is Shown.IF_ANY else bool(known)


def _row(columns: Sequence[VariantColumn], metric: str, window: Window, signs: Signs) -> Row:
    by_column = [values(column, metric, window) for column in columns]
    scale = scale_for(
        metric_of(metric).unit,
        [value for of_column in by_column for value in of_column],
        averaged=any(len(set(of_column)) > 1 for of_column in by_column),
    )
    cells = []
    for column, of_column in zip(columns, by_column, strict=True):
        sign = mark(column, metric, window)
        text = scale.write_mean(of_column, signs.plus_minus) if of_column else signs.absent
        cells.append(Cell(f"{signs.before_figure(sign)}{text}", sign))
    is_part = window != _WHOLE_RUN
    return Row(f"{window}" if is_part else metric, cells, is_part)
