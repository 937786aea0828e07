"""How figures are written for people: one unit for all figures of a metric that stand side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.measure.statistics import mean_interval

_COUNTS_AMONG_RATIOS = ("fairness.longest_streak",)


@dataclass(frozen=True, slots=True)
class Scale:
    """How the figures of one metric are written."""

    unit: str
    factor: float
    decimals: int

    def write(self, value: float) -> str:
        """Write one figure, without its unit."""
        return f"{value * self.factor:,.{self.decimals}f}"

    def write_mean(self, values: Sequence[float], plus_minus: str) -> str:
        """Write the mean of one figure per replication, with half its 95 % interval if they differ."""
        if min(values) == max(values):
            return self.write(values[0])
        interval = mean_interval(values)
        return f"{self.write(interval.mean)} {plus_minus} {self.write(interval.half_width)}"


def scale_for(metric: str, values: Sequence[float], *, averaged: bool = False) -> Scale:
    """Return the scale that fits all the values of a metric, whose name tells what it measures.

    Counts need a decimal where they are `averaged`, and have none otherwise.
    """
    if metric.endswith("_per_s"):
        return Scale("/s", 1, 2)
    if metric.endswith("_s"):
        return Scale("ms", 1e3, 1) if max(values, default=0) < 1 else Scale("s", 1, 2)
    if metric.endswith(("share", "utilization")):
        return Scale("%", 100, 1)
    if metric.startswith(("fairness.", "burst.")) and metric not in _COUNTS_AMONG_RATIOS:
        return Scale("", 1, 3)
    return Scale("", 1, 1 if averaged else 0)


def bar(share: float, width: int, *, ascii_only: bool = False) -> str:
    """Draw a share (0 to 1) as a bar, padded to `width` characters; steps of an eighth of a character."""
    if ascii_only:
        return ("#" * round(share * width)).ljust(width)
    full, eighths = divmod(round(share * width * 8), 8)
    return ("█" * full + " ▏▎▍▌▋▊▉"[eighths].strip()).ljust(width)
