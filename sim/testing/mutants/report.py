"""What became of the mutants, as text, as Markdown and as a JSON document."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sim.testing.mutants.catalogue import AREAS, MUTANTS
from sim.testing.mutants.hunt import Fate


def line(fate: Fate) -> str:
    """Return one line on a mutant: what killed it, or what is wrong in it and was not noticed."""
    mutant, kill = MUTANTS[fate.mutant], fate.killed_by
    if kill is not None:
        return f"killed    {mutant.name}: {kill}"
    crashes = f" It crashed in {len(fate.crashes)} runs, as {fate.crashes[0]}" if fate.crashes else ""
    return f"survived  {mutant.name}: {mutant.slip}{crashes}"


def summary(fates: Sequence[Fate]) -> str:
    """Return how many of the mutants were killed."""
    killed = sum(fate.killed_by is not None for fate in fates)
    return f"{killed} of {len(fates)} mutants are killed"


def kills_by_scenario(fates: Sequence[Fate], scenarios: Sequence[str]) -> dict[str, int]:
    """Return how many mutants each of the scenarios kills; only complete if each mutant was tried in all of them."""
    counts = Counter(kill.scenario for fate in fates for kill in fate.kills)
    return {name: counts[name] for name in scenarios}


def document(fates: Sequence[Fate]) -> dict[str, Any]:
    """Return the document for programs, a row for each mutant."""
    return {"rows": [_row(fate) for fate in fates]}


def markdown(fates: Sequence[Fate], scenarios: Sequence[str], date: str, *, in_all: bool) -> str:
    """Return a page: the mutants area by area with what killed each, then, if all were tried, the scenarios."""
    return "\n".join(_page(fates, scenarios, date, in_all=in_all)) + "\n"


def _page(fates: Sequence[Fate], scenarios: Sequence[str], date: str, *, in_all: bool) -> Iterator[str]:
    by_name = {fate.mutant: fate for fate in fates}
    yield from ("# Mutants", "")
    yield f"{summary(fates)}, over {len(scenarios)} scenarios, on {date}: what `sim mutants --markdown FILE` found."
    for area, mutants in AREAS.items():
        rows = [by_name[mutant.name] for mutant in mutants if mutant.name in by_name]
        if rows:
            yield from ("", f"## {area.capitalize()}", "", "| mutant | what is wrong | killed by |", "|---|---|---|")
            yield from map(_table_row, rows)
    if in_all:
        yield from ("", "## Scenarios", "", "| scenario | mutants that it kills |", "|---|--:|")
        yield from (f"| {name} | {count} |" for name, count in kills_by_scenario(fates, scenarios).items())


def _table_row(fate: Fate) -> str:
    mutant, kill = MUTANTS[fate.mutant], fate.killed_by
    cells = (mutant.name, mutant.slip, str(kill) if kill is not None else "**survived**")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _row(fate: Fate) -> dict[str, Any]:
    mutant, kill = MUTANTS[fate.mutant], fate.killed_by
    return {
        "mutant": mutant.name,
        "place": mutant.place,
        "slip": mutant.slip,
        "killed_by": None if kill is None else str(kill),
        "scenarios": [one.scenario for one in fate.kills],
        "crashes": list(fate.crashes),
    }
