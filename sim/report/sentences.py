"""The lines below a table: one for each expectation, one for each digest."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from sim.measure.analysis.load import warning
from sim.measure.expectations import Verdict
from sim.report.column import VariantColumn
from sim.report.marks import STYLES, Mark, Signs, mark_of

_ABOUT_THE_BUG = {Mark.SHOWS_BUG: " shows the bug:", Mark.FAILED: " no longer shows the bug:"}


def verdict_lines(column: VariantColumn, signs: Signs) -> Iterator[Text]:
    """Yield a line per expectation; of one that does not hold, more lines say why and how to run it again."""
    for verdict in column.outcomes:
        mark = mark_of([verdict])
        is_one_of_several = verdict.over is None and verdict.seed is not None and len(column.seeds) > 1
        seed = f" on seed {verdict.seed}" if is_one_of_several else ""
        lines = [f"{signs.marks[mark]} {_sentence(verdict, mark)}{seed}", *_more(verdict)]
        yield Text("\n  ".join(lines), style=STYLES[mark] or "dim")


def judged_lines(columns: Sequence[VariantColumn], signs: Signs) -> list[tuple[Mark, list[str]]]:
    """Return the mark and the lines of each expectation; what failed comes first."""
    outcomes = [
        (mark_of([verdict]), line.plain.split("\n"))
        for column in columns
        for verdict, line in zip(column.outcomes, verdict_lines(column, signs), strict=True)
    ]
    return sorted(outcomes, key=lambda outcome: -outcome[0])


def _more(verdict: Verdict) -> Iterator[str]:
    if verdict.reason:
        yield verdict.reason
    if verdict.over is None or verdict.passed is None:
        return
    if verdict.over.held < verdict.over.seeds:
        yield str(verdict.over)
    if not verdict.passed and verdict.command:
        yield verdict.command


def _sentence(verdict: Verdict, mark: Mark) -> str:
    of_bug = _ABOUT_THE_BUG.get(mark, "") if verdict.shows_bug else ""
    return (
        f"{verdict.variant}{of_bug} {verdict.figure_name}: {verdict.figure}, expected {verdict.bound}{_seeds(verdict)}"
    )


def _seeds(verdict: Verdict) -> str:
    over, expected = verdict.over, verdict.expectation
    if over is None or verdict.passed is None:
        return ""
    is_about_the_mean = over.interval is not None or (expected is not None and expected.is_about_the_mean)
    return f" {'over' if is_about_the_mean else 'on each of'} {over.seeds} seeds"


def load_lines(columns: Sequence[VariantColumn], signs: Signs) -> Iterator[Text]:
    """Yield a warning for each variant whose requests pile up: then times are no figures of a steady state."""
    for column in columns:
        if text := warning(column.variant, column.metrics):
            yield Text(f"{signs.marks[Mark.SHOWS_BUG]} {text}", style=STYLES[Mark.SHOWS_BUG])


def digest_line(column: VariantColumn, number_of_variants: int) -> Text:
    """Return the digest of the variant's first run."""
    owner = f" {column.variant}" if number_of_variants > 1 else ""
    more = f"  (seed {column.seeds[0]} of {len(column.seeds)})" if len(column.seeds) > 1 else ""
    return Text(f"digest{owner} {column.digests[0]}{more}", style="dim")


def seeds_line(columns: Sequence[VariantColumn], signs: Signs) -> str:
    """Return which seeds were run, and what the figures are if there are several."""
    seeds = list(dict.fromkeys(seed for column in columns for seed in column.seeds))
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    are_means = any(len(column.seeds) > 1 for column in columns)
    meaning = f": mean {signs.plus_minus} half the 95 % interval" if are_means else ""
    return f"{len(seeds)} seeds, {min(seeds)} to {max(seeds)}{meaning}"
