"""A scenario's results on the terminal: variants side by side, replicas as bars, expectations with their verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from sim.measure.catalogue import CATALOGUE, VOCABULARY, Shown, metric_of
from sim.measure.expectations import Verdict
from sim.measure.window import Window
from sim.report.column import VariantColumn
from sim.report.figures import Scale, bar, scale_for
from sim.routing.units import NS_PER_S
from sim.scenario import ScenarioFile

_MOST_COLUMNS, _MOST_COLUMNS_OF_MEANS = 4, 3
"""Variants side by side in 80 characters; more go into a table of their own."""
_MOST_OF_EVEN = 1.5
"""A share of more than this many times the even one of its model is shown as broken, whatever the scenario expects."""
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
    speeds_differ: bool = False
    """Nodes differ in speed, so that an even number of requests is not an even load."""

    @classmethod
    def of(cls, file: ScenarioFile, columns: Sequence[VariantColumn]) -> Self:
        """Return the table of a scenario file's results."""
        speeds = ({(node.speed, node.hardware) for node in scenario.nodes} for scenario in file.variants.values())
        return cls(file.name, file.about.strip(), columns, any(len(different) > 1 for different in speeds))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Lay the parts out one under the other."""
        signs = _ASCII if options.ascii_only else _UNICODE
        yield Text.assemble((self.name, "bold"), (f"  {_seeds(self.columns)}", "dim"))
        if self.about:
            yield Text(self.about, style="dim")
        are_means = any(len(column.seeds) > 1 for column in self.columns)
        step = _MOST_COLUMNS_OF_MEANS if are_means else _MOST_COLUMNS
        for first in range(0, len(self.columns), step):
            yield _figures(self.columns[first : first + step], self.speeds_differ, signs)
        lines = [line for column in self.columns for line in _verdict_lines(column, signs)]
        if lines:
            yield Text("\n").join(lines)
            yield ""
        yield Text("\n").join(_digest_line(column, len(self.columns)) for column in self.columns)


def _figures(columns: Sequence[VariantColumn], speeds_differ: bool, signs: _Signs) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    for column in columns:
        # As Text, because rich would read brackets in a plain string as markup.
        table.add_column(Text(column.variant), justify="right", no_wrap=True, overflow="ellipsis")
    for metric, window in _rows(columns, speeds_differ):
        values = [_values(column, metric, window) for column in columns]
        known = [value for of_column in values for value in of_column]
        definition = metric_of(metric)
        if any(known) if definition.shown is Shown.IF_ANY else known:
            averaged = any(len(set(of_column)) > 1 for of_column in values)
            scale = scale_for(definition.unit, known, averaged=averaged)
            label = _label(metric, window, scale)
            table.add_row(Text(label), *_cells(columns, metric, window, values, scale, signs))
    _add_bars(table, columns, signs)
    return table


def _rows(columns: Sequence[VariantColumn], speeds_differ: bool) -> list[tuple[str, Window]]:
    """Return the metrics to show, each with its window: the short list and whatever else is expected."""
    expected = dict.fromkeys((one.metric, one.window) for column in columns for run in column.verdicts for one in run)
    shown = {Shown.ALWAYS, Shown.IF_ANY} | ({Shown.IF_SPEEDS_DIFFER} if speeds_differ else set())
    short_list = (metric.name for metric in CATALOGUE if metric.shown in shown)
    metrics = dict.fromkeys([*short_list, *(metric for metric, _ in expected if not _is_replica_share(metric))])
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
    return " ".join(filter(None, [_words(metric), scale.unit and f"({scale.unit})", _when(window)]))


def _words(metric: str) -> str:
    """Return what a metric is called: `replicas.node#0.requests` is `node#0 requests`."""
    asked, definition = VOCABULARY.ask(metric), metric_of(metric)
    words = definition.label or definition.name.removesuffix("_s")
    if asked is None or (asked.model is None and asked.replica is None):
        return words
    return f"{_replica(metric)} {words}" if asked.replica else f"{words} of {asked.model}"


def _replica(metric: str) -> str:
    """Return the label in the name of a replica's metric."""
    return metric.removeprefix("replicas.").rpartition(".")[0]


def _when(window: Window) -> str:
    after = f"from {window.after_ns / NS_PER_S:g} s" if window.after_ns else ""
    before = f"to {window.before_ns / NS_PER_S:g} s" if window.before_ns is not None else ""
    return " ".join(filter(None, [after, before]))


def _add_bars(table: Table, columns: Sequence[VariantColumn], signs: _Signs) -> None:
    """Add a row per replica, model by model: its share of what each variant completed of the model, as a bar."""
    left = _MOST_REPLICAS
    by_model = _shares_by_model(columns)
    for shares in by_model.values():
        table.add_section()
        for metric in shares[:left]:
            table.add_row(Text(_replica(metric)), *_bars(columns, metric, len(shares), signs))
        left -= len(shares[:left])
    hidden = sum(map(len, by_model.values())) - _MOST_REPLICAS
    if hidden > 0:
        table.add_row(f"and {hidden} more replicas")


def _shares_by_model(columns: Sequence[VariantColumn]) -> dict[str | None, list[str]]:
    """Return the names of the replicas' shares by model, by None if the labels name none."""
    names = dict.fromkeys(name for column in columns for run in column.metrics for name in run)
    by_model: dict[str | None, list[str]] = {}
    for name in filter(_is_replica_share, names):
        asked = VOCABULARY.ask(name)
        by_model.setdefault(asked.model if asked else None, []).append(name)
    return by_model


def _bars(columns: Sequence[VariantColumn], metric: str, replicas: int, signs: _Signs) -> Iterator[Text]:
    """Yield a bar for each variant, red if far larger than an even share among that many replicas."""
    width = _BAR_WIDTHS[len(columns)]
    for column in columns:
        shares = _values(column, metric, Window())
        # A run in which the replica was never ready gave it nothing.
        share = sum(shares) / len(column.metrics)
        text = f"{bar(share, width, ascii_only=signs.ascii_only)} {share:4.0%}" if shares else signs.absent
        cell = _marked(text, _passed(column, metric, Window()), signs)
        if share > _MOST_OF_EVEN / replicas:
            cell.stylize(_STYLES[False])
        yield cell


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
