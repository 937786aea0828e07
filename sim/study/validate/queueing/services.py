"""Service times of mean 1 s, as scenarios write them, or drawn here where they have no name there."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Service:
    """A law of mean 1 s."""

    text: str
    """The service of a scenario."""
    mean_square: float
    """E[S^2], in s^2."""
    draw: Draw | None = None
    """Draws the times instead of the scenario; something that can be sent to other processes.

    Its repr must be the same in every process, since seeds are made from it. That of a plain function holds a memory
    address.
    """

    @property
    def is_random(self) -> bool:
        """Whether requests differ."""
        return self.mean_square > 1


@dataclass(frozen=True, slots=True)
class ConstantAndExponential:
    """A constant part, as of a prefill, and an exponential one, as of a decode."""

    constant: float
    """Of a mean of 1."""

    def __call__(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw."""
        return self.constant + (1 - self.constant) * generator.standard_exponential(count)


@dataclass(frozen=True, slots=True)
class ShortAndLong:
    """0.2, or an exponential time of mean 1.8, with equal chances."""

    def __call__(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw."""
        return np.where(generator.random(count) < 0.5, 0.2, 1.8 * generator.standard_exponential(count))


EXPONENTIAL = Service("{mean: 1s, distribution: exponential}", 2.0)
DETERMINISTIC = Service("{mean: 1s, distribution: deterministic}", 1.0)
ERLANG_2 = Service("{mean: 1s, distribution: erlang, shape: 2}", 1.5)
UNIFORM = Service("{mean: 1s, distribution: uniform}", 4 / 3)
SHORT_AND_LONG = Service(EXPONENTIAL.text, 3.26, ShortAndLong())


def constant_and_exponential(constant: float) -> Service:
    """Return the law whose constant part is this much of the mean."""
    return Service(EXPONENTIAL.text, 1 + (1 - constant) ** 2, ConstantAndExponential(constant))


def lognormal(square_of_cv: float) -> Service:
    """Return the lognormal law with this squared coefficient of variation."""
    return Service(f"{{mean: 1s, distribution: lognormal, cv: {square_of_cv**0.5!r}}}", 1 + square_of_cv)


def hyperexponential(square_of_cv: float) -> Service:
    """Return the law of two exponential branches with balanced means."""
    return Service(f"{{mean: 1s, distribution: hyperexponential, cv: {square_of_cv**0.5!r}}}", 1 + square_of_cv)
