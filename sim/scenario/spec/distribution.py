"""Distributions of random quantities, each scaled to a mean of one. The user of a law supplies the mean."""

import math
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from sim.scenario.spec.base import Spec, wrong

DistributionName = Literal["deterministic", "exponential", "lognormal", "uniform", "hyperexponential", "erlang"]


class Law(NamedTuple):
    """A distribution of mean one."""

    distribution: DistributionName
    cv: float | None = None
    """Coefficient of variation; of lognormal and hyperexponential only."""
    shape: int | None = None
    """Number of exponential stages; of erlang only."""


class Shaped(Spec):
    """The keys that choose a law, for a quantity whose mean is given next to them."""

    distribution: DistributionName | None = None
    """Distribution of the value; exponential where a mean is given."""
    cv: float | None = Field(default=None, gt=0, le=100)
    """Coefficient of variation, for lognormal and hyperexponential."""
    shape: int | None = Field(default=None, ge=1, le=1000)
    """Number of exponential stages, for erlang."""

    @model_validator(mode="before")
    @classmethod
    def _exponential_unless_said(cls, written: Any) -> Any:
        # A null stands for a key that is not written.
        if isinstance(written, dict) and written.get("mean") is not None and written.get("distribution") is None:
            return {**written, "distribution": "exponential"}
        return written

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        by_cv, by_shape = self.distribution in ("lognormal", "hyperexponential"), self.distribution == "erlang"
        if by_cv != (self.cv is not None):
            raise wrong("cv", _needs(self.distribution, by_cv, "cv: 2.0"))
        if by_shape != (self.shape is not None):
            raise wrong("shape", _needs(self.distribution, by_shape, "shape: 4"))
        if self.distribution == "hyperexponential" and self.cv is not None and self.cv <= 1:
            raise wrong("cv", f"found {self.cv}; allowed for hyperexponential: more than 1")
        return self

    @property
    def law(self) -> Law:
        """The law of mean one; ValueError if no distribution applies here."""
        if self.distribution is None:
            raise ValueError("no distribution is given")
        return Law(self.distribution, self.cv, self.shape)


def _needs(distribution: str | None, needed: bool, example: str) -> str:
    key = example.split(":")[0]
    if needed:
        return f"missing; {distribution} needs it, such as {example}"
    by_default = ", the law unless another distribution is written" if distribution == "exponential" else ""
    return f"found {key}; allowed: no {key} with {distribution or 'this form'}{by_default}"


def draw(law: Law, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return `count` draws of mean one."""
    if law.distribution == "deterministic":
        return np.ones(count)
    if law.distribution == "exponential":
        return generator.standard_exponential(count)
    if law.distribution == "uniform":
        return 2.0 * generator.random(count)
    if law.distribution == "erlang":
        stages = law.shape or 1
        return generator.standard_gamma(stages, count) / stages
    cv = law.cv or 0.0
    if law.distribution == "lognormal":
        variance = math.log1p(cv * cv)
        return generator.lognormal(-variance / 2, math.sqrt(variance), count)
    return _hyperexponential(cv, generator, count)


def _hyperexponential(cv: float, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw from two exponential branches with balanced means (Whitt 1982, Operations Research 30(1), eq. 3.7)."""
    often = (1 + math.sqrt((cv * cv - 1) / (cv * cv + 1))) / 2
    takes_often = generator.random(count) < often
    return np.where(takes_often, 0.5 / often, 0.5 / (1 - often)) * generator.standard_exponential(count)
