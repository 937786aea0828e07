"""The lines below a table: one for each expectation, one for each digest."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from sim.measure.expectations import Verdict
from sim.report.column import VariantColumn
from sim.report.marks import STYLES, Mark, Signs, mark_of

_ABOUT_THE_BUG = {Mark.SHOWS_BUG: " shows the bug:", Mark.FAILED: " no longer shows the bug:"}


def verdict_lines(column: VariantColumn, signs: Signs) -> Iterator[Text]:
    """Yield a line per expectation: the first run that breaks it, or else the first run, speaks for all."""
    for runs in zip(*column.verdicts, strict=True):
        shown = next((one for one in runs if one.passed is False), runs[0])
        mark = mark_of([shown])
        can_be_told = len(runs) > 1 and shown.passed is not None
        held = f" {sum(one.passed is True for one in runs)}/{len(runs)}" if can_be_told else ""
        yield Text(f"{signs.marks[mark]}{held} {_sentence(shown, mark)}", style=STYLES[mark] or "dim")


def _sentence(verdict: Verdict, mark: Mark) -> str:
    value = "absent" if verdict.value is None else f"{verdict.value:.6g}"
    figure = " ".join(filter(None, [verdict.metric, str(verdict.window)]))
    of_bug = _ABOUT_THE_BUG.get(mark, "") if verdict.shows_bug else ""
    return f"{verdict.variant}{of_bug} {figure}: {value}, expected {verdict.bound}"


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
