"""Figures written for people, in the unit of their metric, with the same decimals for all that stand side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from sim.measure.analysis.load import LoadVerdict
from sim.measure.catalogue import Unit
from sim.measure.statistics import mean_interval

_MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Scale:
    """How the figures of one metric are written."""

    decimals: int

    def write(self, value: float) -> str:
        """Write one figure as a scenario file can hold it: no unit, no separators."""
        return f"{value:.{self.decimals}f}"

    def write_mean(self, values: Sequence[float], plus_minus: str) -> str:
        """Write the mean of one figure per replication, with half its 95 % interval if they differ."""
        if min(values) == max(values):
            return self.write(values[0])
        interval = mean_interval(values)
        return f"{self.write(interval.mean)} {plus_minus} {self.write_half_width(interval.half_width)}"

    def write_half_width(self, half_width: float) -> str:
        """Write half of an interval; one that these decimals would show as 0 as less than their last digit."""
        written = self.write(half_width)
        return written if float(written) else f"<{self.write(10**-self.decimals)}"


class Words(Scale):
    """Writes the verdict on the load as a word."""

    def write(self, value: float) -> str:
        return LoadVerdict(int(value)).name.lower()


def scale_for(unit: Unit, values: Sequence[float], *, averaged: bool = False) -> Scale:
    """Return the scale that fits all the values of a metric with that unit.

    Seconds have two decimals, or as many as give the largest value two digits. Counts need a decimal where they are
    `averaged`, and have none otherwise; the same goes for words, whose mean is one of their numbers.
    """
    match unit:
        case Unit.PER_SECOND:
            return Scale(2)
        case Unit.SECONDS:
            return Scale(_decimals_for(max(values, default=0)))
        case Unit.SHARE | Unit.RATIO | Unit.INDEX:
            return Scale(3)
        case Unit.VERDICT:
            return Scale(2) if averaged else Words(0)
        case Unit.COUNT:
            return Scale(1 if averaged else 0)


def _decimals_for(largest: float) -> int:
    if largest <= 0:
        return 2
    return min(max(2, 1 - floor(log10(largest))), _MOST_DECIMALS)


def bar(share: float, width: int, *, ascii_only: bool = False) -> str:
    """Draw a share (0 to 1) as a bar, padded to `width` characters; steps of an eighth of a character."""
    if ascii_only:
        return ("#" * round(share * width)).ljust(width)
    full, eighths = divmod(round(share * width * 8), 8)
    return ("█" * full + " ▏▎▍▌▋▊▉"[eighths].strip()).ljust(width)
