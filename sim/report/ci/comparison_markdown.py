"""Comparisons for a pull request, of variants and of two result folders: the verdict is in the first line."""

from collections.abc import Iterator, Sequence

from sim.measure.changes.first_difference import Parting
from sim.measure.changes.folder_comparison import FolderComparison, VariantChange
from sim.measure.differences import Difference, counts_in_words
from sim.report.ci.markdown import code, paragraphs, plain, table
from sim.report.difference_cells import difference_cells, difference_head, known_differences
from sim.report.parting import candidate_cells
from sim.report.terminal.differences import DifferencesTable
from sim.report.terminal.folder_changes import (
    parting_in_words,
    scope_in_words,
    sentences,
    side_in_words,
    title,
)


def variants_markdown(comparison: DifferencesTable) -> str:
    """Return a comparison of variants with their base."""
    first, last = min(comparison.seeds), max(comparison.seeds)
    seeds = f"{len(comparison.seeds)} seeds, {first} to {last}"
    return paragraphs(
        [
            f"**{'; '.join(_found(comparison))}** in {plain(comparison.scenario)}, {seeds}",
            _rows(comparison.base, comparison.rows),
            *map(plain, comparison.sentences),
        ]
    )


def folders_markdown(comparison: FolderComparison, pictures: Sequence[str] = ()) -> str:
    """Return a comparison of two folders; `pictures` are links to files that belong to it."""
    changed = [one for one in comparison.variants if one.has_changed]
    return paragraphs(
        [
            f"{'✗' if comparison.is_worse else '✓'} **{plain(comparison.verdict)}**",
            f"base {code(str(comparison.base))}, new {code(str(comparison.new))}",
            *(part for one in changed for part in _variant(one)),
            *map(plain, sentences(comparison)),
            *(f"![{plain(link)}](<{link}>)" for link in pictures),
        ]
    )


def _found(comparison: DifferencesTable) -> Iterator[str]:
    """Yield what each variant is, in how many metrics."""
    for variant in comparison.variants:
        told = counts_in_words(row for row in comparison.rows if row.variant == variant)
        yield f"{plain(variant)} against {plain(comparison.base)}: {told}"


def _variant(one: VariantChange) -> Iterator[str]:
    yield f"### {plain(title(one))}"
    yield _rows("base", [*one.changed, *one.untold])
    yield "\n".join(f"- {plain(scope_in_words(scope))}" for scope in one.scopes)
    yield "\n".join(f"- {'✗' if side.is_worse else '✓'} {plain(side_in_words(side))}" for side in one.sides)
    yield plain(parting_in_words(one))
    parting = next(iter(one.partings.values()), None)
    if parting is not None:
        yield from _parting(parting)


def _parting(parting: Parting) -> Iterator[str]:
    yield f"- base {plain(parting.base)}\n- new {plain(parting.new)}"
    if parting.candidates:
        head, *rows = (list(map(plain, cells)) for cells in candidate_cells(parting.candidates))
        yield table(head, rows)


def _rows(base: str, rows: Sequence[Difference]) -> str:
    """Return a table with a line for each row that has figures."""
    known = known_differences(rows)
    if not known:
        return ""
    cells = ([code(metric), *map(plain, figures)] for metric, *figures in difference_cells(known))
    return table(list(map(plain, difference_head(base, known))), cells)
