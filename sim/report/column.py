"""What a report is made from: one variant's runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.measure.expectations import Verdict


@dataclass(frozen=True, slots=True)
class VariantColumn:
    """One variant's runs, one per seed; the four sequences go by the same order and have the same length."""

    variant: str
    seeds: Sequence[int]
    metrics: Sequence[Mapping[str, float]]
    """Of the whole run after its warm-up, by name."""
    digests: Sequence[str]
    verdicts: Sequence[Sequence[Verdict]]
    """Of each run, in the order of the scenario's expectations."""

    def __post_init__(self) -> None:
        lengths = {len(self.seeds), len(self.metrics), len(self.digests), len(self.verdicts)}
        if lengths != {len(self.seeds)} or not self.seeds:
            raise ValueError(f"variant {self.variant!r} needs metrics, a digest and verdicts for each of its seeds")
