"""What replications say of a mean: an estimate with its error, and with what is known of their luck taken out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot
from typing import Self

import numpy as np

from sim.measure.statistics import Interval


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its standard error, and the degrees of freedom of that."""

    mean: float
    error: float
    freedom: float

    def plus(self, other: Self) -> Self:
        """Return the estimate of the sum of two means that were estimated independently.

        Its degrees of freedom are those of Welch and Satterthwaite (Biometrics Bulletin 2, 1946).
        """
        error = hypot(self.error, other.error)
        if error == 0:
            return replace(self, mean=self.mean + other.mean, freedom=min(self.freedom, other.freedom))
        parts = ((one.error / error) ** 4 / one.freedom for one in (self, other))
        return replace(self, mean=self.mean + other.mean, error=error, freedom=1 / sum(parts))

    def stretched(self, factor: float) -> Self:
        """Return the same mean with an error that is so many times as large."""
        return replace(self, error=self.error * factor)

    def half_width(self, confidence: float, other_error: float = 0.0) -> float:
        """Return half of the Student-t interval for the difference to a value with a standard error of its own."""
        return self.quantile(confidence) * hypot(self.error, other_error)

    def quantile(self, confidence: float) -> float:
        """Return how many standard errors the two-sided interval of Student reaches to each side."""
        # Here, because loading it takes longer than most commands.
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, (1 + confidence) / 2))

    def interval(self, confidence: float) -> Interval:
        """Return the Student-t interval around the mean."""
        half = self.half_width(confidence)
        return Interval(self.mean, self.mean - half, self.mean + half)


def controlled_estimate(values: Sequence[float], controls: Sequence[Sequence[float]]) -> Estimate:
    """Return the mean of the replications' values, regressed on control variates whose means are 0.

    Shapes (replications,) and (replications, controls). The estimate is the regression's value where all controls are
    0; its interval has the confidence it says for values and controls that are jointly normal, which means over long
    runs nearly are (Lavenberg and Welch, "A perspective on the use of control variables to increase the efficiency of
    Monte Carlo simulations", Management Science 27(3), 1981). Without controls it is the plain mean. Raises ValueError
    if there are too few replications for an error.
    """
    sample = np.asarray(values, dtype=np.float64)
    known = np.asarray(controls, dtype=np.float64).reshape(len(sample), -1)
    known = known[:, known.std(axis=0) > 0]
    freedom = len(sample) - 1 - known.shape[1]
    if freedom < 1:
        raise ValueError(f"{len(sample)} replications are too few for {known.shape[1]} controls")
    if sample.min() == sample.max():
        return Estimate(float(sample[0]), 0.0, freedom)
    # Scaled, so that the normal equations are well conditioned whatever the units.
    design = np.column_stack([np.ones(len(sample)), known / known.std(axis=0)])
    coefficients = np.linalg.lstsq(design, sample, rcond=None)[0]
    residuals = sample - design @ coefficients
    variance = float(residuals @ residuals) / freedom
    error = (variance * float(np.linalg.inv(design.T @ design)[0, 0])) ** 0.5
    return Estimate(float(coefficients[0]), error, freedom)
