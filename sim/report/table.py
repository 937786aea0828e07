"""A scenario's results on the terminal: variants side by side, replicas as bars, expectations with their verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from sim.measure.expectations import Verdict
from sim.measure.window import Window
from sim.report.column import VariantColumn
from sim.report.figures import Scale, bar, scale_for

_LABELS = {
    "requests.offered": "requests offered",
    "requests.completed": "requests completed",
    "requests.failed": "requests failed",
    "requests.rejected": "requests rejected",
    "requests.cancelled": "requests cancelled",
    "requests.unfinished": "requests unfinished",
    "fairness.busiest_share": "busiest share",
    "fairness.jain": "jain index",
    "fairness.jain_random": "jain if at random",
    "burst.max_over_ideal": "burst over ideal",
    "latency.mean_s": "latency mean",
    "latency.p50_s": "latency p50",
    "latency.p99_s": "latency p99",
    "route.p99_s": "route p99",
    "probes.sent": "probes sent",
    "probes.timeouts": "probes timed out",
    "probes.coalesced": "probes coalesced",
    "rows.removed_alive": "rows removed alive",
    "rows.stale_s": "rows without process",
    "rows.evicted": "rows evicted",
    "loads.redundant": "loads redundant",
    "scaling.ups": "replicas added",
    "scaling.downs": "replicas taken away",
    "scaling.below_min_s": "below minimum",
    "nodes.offline": "nodes went offline",
    "nodes.detection_max_s": "crash to offline",
    "faults.struck": "faults struck",
}
_ONLY_IF_ANY = (
    "requests.failed",
    "requests.rejected",
    "requests.cancelled",
    "requests.unfinished",
    "rows.evicted",
    "scaling.ups",
    "scaling.downs",
    "nodes.offline",
    "faults.struck",
)
_MOST_COLUMNS, _MOST_COLUMNS_OF_MEANS = 4, 3
"""Variants side by side in 80 characters; more go into a table of their own."""
_MOST_OF_EVEN = 1.5
"""A share of more than this many times the even one is shown as broken, whatever the scenario expects."""
_MOST_REPLICAS = 16
_BAR_WIDTHS = {1: 30, 2: 16, 3: 10, 4: 5}


@dataclass(frozen=True, slots=True)
class _Signs:
    passed: str
    failed: str
    skipped: str
    plus_minus: str
    absent: str
    ascii_only: bool


_UNICODE = _Signs("✓", "✗", "-", "±", "·", ascii_only=False)
_ASCII = _Signs("+", "x", "-", "+/-", ".", ascii_only=True)

_STYLES = {True: "green", False: "bold red", None: "dim"}


@dataclass(frozen=True, slots=True)
class ScenarioTable:
    """A scenario's results, printed by a rich console; plain characters where the output takes no others.

    A figure that breaks an expectation is red, bold and marked; one that holds is green. An expectation about a part
    of the run has a row of its own. Several replications are shown as their mean and half the 95 % interval.
    """

    name: str
    about: str
    columns: Sequence[VariantColumn]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Lay the parts out one under the other."""
        signs = _ASCII if options.ascii_only else _UNICODE
        yield Text.assemble((self.name, "bold"), (f"  {_seeds(self.columns)}", "dim"))
        if self.about:
            yield Text(self.about, style="dim")
        are_means = any(len(column.seeds) > 1 for column in self.columns)
        step = _MOST_COLUMNS_OF_MEANS if are_means else _MOST_COLUMNS
        for first in range(0, len(self.columns), step):
            yield _figures(self.columns[first : first + step], signs)
        lines = [line for column in self.columns for line in _verdict_lines(column, signs)]
        if lines:
            yield Text("\n").join(lines)
            yield ""
        yield Text("\n").join(_digest_line(column, len(self.columns)) for column in self.columns)


def _figures(columns: Sequence[VariantColumn], signs: _Signs) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    for column in columns:
        # As Text, because rich would read brackets in a plain string as markup.
        table.add_column(Text(column.variant), justify="right", no_wrap=True, overflow="ellipsis")
    for metric, window in _rows(columns):
        values = [_values(column, metric, window) for column in columns]
        known = [value for of_column in values for value in of_column]
        if any(known) if metric in _ONLY_IF_ANY else known:
            averaged = any(len(set(of_column)) > 1 for of_column in values)
            scale = scale_for(metric, known, averaged=averaged)
            label = _label(metric, window, scale)
            table.add_row(Text(label), *_cells(columns, metric, window, values, scale, signs))
    table.add_section()
    _add_bars(table, columns, signs)
    return table


def _rows(columns: Sequence[VariantColumn]) -> list[tuple[str, Window]]:
    """Return the metrics to show, each with its window: the short list and whatever else is expected."""
    expected = dict.fromkeys((one.metric, one.window) for column in columns for run in column.verdicts for one in run)
    metrics = dict.fromkeys([*_LABELS, *(metric for metric, _ in expected if not _is_replica_share(metric))])
    rows = []
    for metric in metrics:
        rows.append((metric, Window()))
        rows += [row for row in expected if row[0] == metric and row[1] != Window()]
    return rows


def _values(column: VariantColumn, metric: str, window: Window) -> list[float]:
    if window == Window():
        return [metrics[metric] for metrics in column.metrics if metric in metrics]
    of_runs = (
        next((one.value for one in run if (one.metric, one.window) == (metric, window)), None)
        for run in column.verdicts
    )
    return [value for value in of_runs if value is not None]


def _passed(column: VariantColumn, metric: str, window: Window) -> bool | None:
    """Tell whether the figure keeps all that is expected of it in every run; None if nothing is, or can be told."""
    passed = [one.passed for run in column.verdicts for one in run if (one.metric, one.window) == (metric, window)]
    if False in passed:
        return False
    return True if True in passed else None


def _cells(
    columns: Sequence[VariantColumn],
    metric: str,
    window: Window,
    values: Sequence[Sequence[float]],
    scale: Scale,
    signs: _Signs,
) -> Iterator[Text]:
    for column, of_column in zip(columns, values, strict=True):
        text = scale.write_mean(of_column, signs.plus_minus) if of_column else signs.absent
        yield _marked(text, _passed(column, metric, window), signs)


def _marked(text: str, passed: bool | None, signs: _Signs) -> Text:
    if passed is None:
        return Text(text)
    return Text(text if passed else f"{signs.failed} {text}", style=_STYLES[passed])


def _label(metric: str, window: Window, scale: Scale) -> str:
    name = _LABELS.get(metric) or _spelled_out(metric)
    return " ".join(filter(None, [name, scale.unit and f"({scale.unit})", _when(window)]))


def _spelled_out(metric: str) -> str:
    """Return a label for a metric that has none: `replicas.node#0.requests` reads `node#0 requests`."""
    if metric.startswith("replicas."):
        return " ".join(metric.removeprefix("replicas.").rsplit(".", 1))
    return metric.removesuffix("_s").removesuffix("_per")


def _when(window: Window) -> str:
    after = f"from {window.after_ns / 1e9:g} s" if window.after_ns else ""
    before = f"to {window.before_ns / 1e9:g} s" if window.before_ns is not None else ""
    return " ".join(filter(None, [after, before]))


def _add_bars(table: Table, columns: Sequence[VariantColumn], signs: _Signs) -> None:
    """Add a row per replica: its share of each variant's completed requests, as a bar, red if far too large."""
    metrics = dict.fromkeys(
        name for column in columns for run in column.metrics for name in run if _is_replica_share(name)
    )
    width = _BAR_WIDTHS[len(columns)]
    for metric in list(metrics)[:_MOST_REPLICAS]:
        place = metric.removeprefix("replicas.").removesuffix(".share")
        cells = []
        for column in columns:
            shares = _values(column, metric, Window())
            # A run in which the replica was never ready gave it nothing.
            share = sum(shares) / len(column.metrics)
            text = f"{bar(share, width, ascii_only=signs.ascii_only)} {share:4.0%}" if shares else signs.absent
            cell = _marked(text, _passed(column, metric, Window()), signs)
            if share > _MOST_OF_EVEN / max(len(metrics), 1):
                cell.stylize(_STYLES[False])
            cells.append(cell)
        table.add_row(Text(place), *cells)
    if len(metrics) > _MOST_REPLICAS:
        table.add_row(f"and {len(metrics) - _MOST_REPLICAS} more replicas")


def _is_replica_share(metric: str) -> bool:
    return metric.startswith("replicas.") and metric.endswith(".share")


def _verdict_lines(column: VariantColumn, signs: _Signs) -> Iterator[Text]:
    """Yield a line per expectation: the first run that breaks it, or else the first run, speaks for all."""
    for runs in zip(*column.verdicts, strict=True):
        shown = next((one for one in runs if one.passed is False), runs[0])
        sign = {True: signs.passed, False: signs.failed, None: signs.skipped}[shown.passed]
        can_be_told = len(runs) > 1 and shown.passed is not None
        held = f" {sum(one.passed is True for one in runs)}/{len(runs)}" if can_be_told else ""
        yield Text(f"{sign}{held} {_sentence(shown)}", style=_STYLES[shown.passed])


def _sentence(verdict: Verdict) -> str:
    value = "absent" if verdict.value is None else f"{verdict.value:.6g}"
    where = " ".join(filter(None, [verdict.variant, verdict.metric, _when(verdict.window)]))
    return f"{where}: {value}, expected {verdict.bound}"


def _seeds(columns: Sequence[VariantColumn]) -> str:
    seeds = list(dict.fromkeys(seed for column in columns for seed in column.seeds))
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds, {min(seeds)} to {max(seeds)}"


def _digest_line(column: VariantColumn, number_of_variants: int) -> Text:
    owner = f" {column.variant}" if number_of_variants > 1 else ""
    more = f"  (seed {column.seeds[0]} of {len(column.seeds)})" if len(column.seeds) > 1 else ""
    return Text(f"digest{owner} {column.digests[0]}{more}", style="dim")
