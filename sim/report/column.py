"""What a report is made from: one variant's runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun, by_variant
from sim.measure.over_seeds import summed_up


@dataclass(frozen=True, slots=True)
class VariantColumn:
    """One variant's runs, one per seed; the first four sequences go by the same order and have the same length."""

    variant: str
    seeds: Sequence[int]
    metrics: Sequence[Mapping[str, float]]
    """Of the whole run after its warm-up, by name."""
    digests: Sequence[str]
    verdicts: Sequence[Sequence[Verdict]]
    """Of each run, in the order of the scenario's expectations; empty for a run that was not judged by itself."""
    joint: Sequence[Verdict] = ()
    """Verdicts on all seeds together that do not come from the verdicts of single runs."""
    outcomes: Sequence[Verdict] = field(init=False)
    """What the verdicts come to over all seeds: one for each expectation."""

    def __post_init__(self) -> None:
        lengths = {len(self.seeds), len(self.metrics), len(self.digests), len(self.verdicts)}
        if lengths != {len(self.seeds)} or not self.seeds:
            raise ValueError(f"variant {self.variant!r} needs metrics, a digest and verdicts for each of its seeds")
        judged = filter(None, self.verdicts)
        outcomes = [summed_up(of_expectation) for of_expectation in zip(*judged, strict=True)]
        object.__setattr__(self, "outcomes", [*outcomes, *self.joint])


def columns(runs: Iterable[JudgedRun], joint: Sequence[Verdict] = ()) -> list[VariantColumn]:
    """Return the runs by variant, each in the order of its seeds; `joint` are verdicts that the runs do not have."""
    return [
        VariantColumn(
            variant,
            [run.seed for run in of_variant],
            [run.metrics for run in of_variant],
            [run.digest for run in of_variant],
            [run.verdicts for run in of_variant],
            [verdict for verdict in joint if verdict.variant == variant],
        )
        for variant, of_variant in by_variant(runs).items()
    ]
