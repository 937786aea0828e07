"""Figures written for people: one unit for all figures of a metric that stand side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.measure.catalogue import Unit
from sim.measure.statistics import mean_interval


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


def scale_for(unit: Unit, values: Sequence[float], *, averaged: bool = False) -> Scale:
    """Return the scale that fits all the values of a metric with that unit.

    Counts need a decimal where they are `averaged`, and have none otherwise.
    """
    match unit:
        case Unit.PER_SECOND:
            return Scale("/s", 1, 2)
        case Unit.SECONDS:
            return Scale("ms", 1e3, 1) if max(values, default=0) < 1 else Scale("s", 1, 2)
        case Unit.SHARE:
            return Scale("%", 100, 1)
        case Unit.RATIO | Unit.INDEX:
            return Scale("", 1, 3)
        case Unit.COUNT:
            return Scale("", 1, 1 if averaged else 0)


def seeds_in_words(seeds: Sequence[int]) -> str:
    """Write seeds, which are in order, as `1`, `1 to 20` or `1, 3 to 5`."""
    stretches: list[list[int]] = []
    for seed in seeds:
        if stretches and stretches[-1][-1] == seed - 1:
            stretches[-1].append(seed)
        else:
            stretches.append([seed])
    return ", ".join(f"{one[0]}" if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in stretches)


def bar(share: float, width: int, *, ascii_only: bool = False) -> str:
    """Draw a share (0 to 1) as a bar, padded to `width` characters; steps of an eighth of a character."""
    if ascii_only:
        return ("#" * round(share * width)).ljust(width)
    full, eighths = divmod(round(share * width * 8), 8)
    return ("█" * full + " ▏▎▍▌▋▊▉"[eighths].strip()).ljust(width)
