"""What changed between two result folders, on the terminal: figures, expectations, and the first other decision."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from sim.measure.changes.changed_sides import ChangedSide
from sim.measure.changes.first_difference import Parting
from sim.measure.changes.folder_comparison import ChangedScope, FolderComparison, RunGroup, VariantChange
from sim.measure.differences import Finding
from sim.measure.judged_run import seeds_in_words
from sim.report.parting import candidate_cells

_STYLES = {Finding.A: "bold red", Finding.B: "green", Finding.DIFFERS: "yellow"}


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """A comparison of two folders, printed by a rich console. Variants that did not change share a line."""

    comparison: FolderComparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Lay the parts out one under the other, the verdict first."""
        comparison = self.comparison
        style = "bold red" if comparison.is_worse else "bold"
        yield Text(comparison.verdict, style)
        yield Text(f"base {comparison.base}, new {comparison.new}", "dim")
        for one in comparison.variants:
            if one.has_changed:
                yield ""
                yield from _variant(one)
        for sentence in sentences(comparison):
            yield Text(sentence, "dim")


def sentences(comparison: FolderComparison) -> Iterator[str]:
    """Yield what the figures do not say: which runs are identical, which are missing, and what the intervals mean."""
    for one in comparison.variants:
        if not one.has_changed:
            yield f"{_name(one.runs)}: identical on {_seeds(one.runs)}."
    for where, groups in (("base", comparison.only_base), ("new", comparison.only_new)):
        for runs in groups:
            yield f"Only in {where}: {_name(runs)}, {_seeds(runs)}."
    if any(len(one.runs.seeds) > 1 and one.rows for one in comparison.variants):
        demand = comparison.demand
        yield (
            "Intervals: Student's t over the paired differences of the seeds; all hold at once with "
            f"{demand.confidence * 100:.4g} % confidence (Bonferroni). Less than {demand.margin * 100:.3g} % of base "
            "is taken for no change."
        )
    if any(one.untold for one in comparison.variants):
        yield "One seed gives no estimate of the noise: run several (--reps) to tell a change from chance."


def title(one: VariantChange) -> str:
    """Return the variant with its seeds, as `cache_pinning, fixed, seeds 1 to 20`."""
    return f"{_name(one.runs)}, {_seeds(one.runs)}"


def scope_in_words(scope: ChangedScope) -> str:
    """Return to how many runs a metric applies."""
    return f"{scope.metric}: applied to {scope.base_runs} runs, applies to {scope.new_runs} now"


def side_in_words(side: ChangedSide) -> str:
    """Return what became of an expectation."""
    then, now = ("showed the bug", "shows it") if side.shows_bug else ("held", "holds")
    return (
        f"{side.metric} {side.bound}: {then} {side.base_held} of {side.judged} times, "
        f"{now} {side.new_held} of {side.judged} times now"
    )


def parting_in_words(one: VariantChange) -> str:
    """Return where the variant's first other run parts, and how many more there are."""
    if not one.partings:
        return (
            "All decisions and times are the same; the figures are computed otherwise, or over another part of the run"
        )
    seed, parting = next(iter(one.partings.items()))
    more = len(one.partings) - 1
    others = f" ({more} more seeds differ; --json tells where)" if more else ""
    if parting is None:
        return f"Seed {seed}: all decisions are the same, only times differ{others}"
    return f"Seed {seed}, first difference at {parting.t_s:.6f} s: {parting.what}{others}"


def _variant(one: VariantChange) -> Iterator[RenderableType]:
    yield Text.assemble((title(one), "bold"), (f", identical on {len(one.identical)}" if one.identical else ""))
    for row in [*one.changed, *one.untold]:
        yield Text(str(row), _STYLES.get(row.verdict, "yellow"))
    for scope in one.scopes:
        yield Text(scope_in_words(scope), "yellow")
    for side in one.sides:
        yield Text(side_in_words(side), "bold red" if side.is_worse else "green")
    yield Text(parting_in_words(one))
    parting = next(iter(one.partings.values()), None)
    if parting is not None:
        yield from _parting(parting)


def _parting(parting: Parting) -> Iterator[RenderableType]:
    yield Text(f"  base {parting.base}\n  new  {parting.new}")
    if not parting.candidates:
        return
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column()
    for _ in range(6):
        table.add_column(justify="right")
    for cells in candidate_cells(parting.candidates):
        table.add_row(*map(Text, cells))
    yield table


def _name(runs: RunGroup) -> str:
    return f"{runs.scenario}, {runs.variant}"


def _seeds(runs: RunGroup) -> str:
    return f"seed{'s' if len(runs.seeds) > 1 else ''} {seeds_in_words(runs.seeds)}"
