"""The rows of bars in a table: each replica's share of what every variant completed of its model."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from sim.measure.catalogue import VOCABULARY
from sim.report.column import VariantColumn
from sim.report.figures import bar
from sim.report.marks import STYLES, Mark, Signs
from sim.report.terminal.rows import is_replica_share, mark, values

HEADING = "replicas.<label>.share"
_MOST_OF_EVEN = 1.5
"""A share of more than this many times the even one of its model is shown as broken, whatever the scenario expects."""
_BESIDE_BAR = len(" 100%")


def shares_by_model(columns: Sequence[VariantColumn]) -> list[list[str]]:
    """Return the names of the replicas' shares, model by model."""
    names = dict.fromkeys(name for column in columns for run in column.metrics for name in run)
    by_model: dict[str | None, list[str]] = {}
    for name in filter(is_replica_share, names):
        asked = VOCABULARY.ask(name)
        by_model.setdefault(asked.model if asked else None, []).append(name)
    return list(by_model.values())


def replica(metric: str) -> str:
    """Return the label in the name of a replica's metric."""
    return metric.removeprefix("replicas.").rpartition(".")[0]


def mean_share(column: VariantColumn, metric: str) -> float | None:
    """Return a replica's mean share (0 to 1) over the variant's runs; None if it was ready in none of them."""
    shares = values(column, metric)
    # A run in which the replica was never ready gave it nothing.
    return sum(shares) / len(column.metrics) if shares else None


def bar_width(columns: Sequence[VariantColumn], narrowest: int, signs: Signs) -> int:
    """Return the length of all bars, in characters: bars of different lengths could not be compared."""
    marks = (mark(column, name) for of_model in shares_by_model(columns) for name in of_model for column in columns)
    return narrowest - _BESIDE_BAR - max((len(signs.before_figure(one)) for one in marks), default=0)


def bars(columns: Sequence[VariantColumn], width: int, metric: str, replicas: int, signs: Signs) -> Iterator[Text]:
    """Yield a bar for each variant, red if far larger than an even share among that many replicas."""
    for column in columns:
        share = mean_share(column, metric)
        judged = mark(column, metric)
        if share is None:
            yield Text(signs.absent, style=STYLES[judged])
            continue
        drawn = bar(share, width, ascii_only=signs.ascii_only)
        is_crowded = share > _MOST_OF_EVEN / replicas
        style = STYLES[Mark.FAILED if is_crowded else judged]
        yield Text(f"{signs.before_figure(judged)}{drawn} {share:4.0%}", style=style)
