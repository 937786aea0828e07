"""What is kept of a run when its records are let go: its figures, and how they stand to what was expected."""

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
