"""What is kept of a run when its records are let go: its figures, and how they stand to what was expected."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sim.measure.expectations import Verdict


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """One variant on one seed."""

    variant: str
    seed: int
    digest: str
    metrics: dict[str, float]
    """Of the whole run after its warm-up, by name."""
    verdicts: tuple[Verdict, ...]
    """In the order of the scenario's expectations."""


def by_variant(runs: Iterable[JudgedRun]) -> dict[str, list[JudgedRun]]:
    """Return the runs of each variant, both in the order of `runs`."""
    of_variants: dict[str, list[JudgedRun]] = {}
    for run in runs:
        of_variants.setdefault(run.variant, []).append(run)
    return of_variants


def seeds_in_words(seeds: Sequence[int]) -> str:
    """Write seeds, which are in order, as `1`, `1 to 20` or `1, 3 to 5`."""
    stretches: list[list[int]] = []
    for seed in seeds:
        if stretches and stretches[-1][-1] == seed - 1:
            stretches[-1].append(seed)
        else:
            stretches.append([seed])
    return ", ".join(f"{one[0]}" if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in stretches)
