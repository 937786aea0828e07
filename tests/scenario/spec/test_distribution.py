"""The laws of random quantities, against their mean and coefficient of variation."""

import math

import numpy as np
import pytest

from sim.scenario import stream
from sim.scenario.spec.distribution import Law, draw

COUNT = 400_000
LAWS = {
    "exponential": (Law("exponential"), 1.0, 9.0),
    "uniform": (Law("uniform"), 1 / math.sqrt(3), 1.8),
    "lognormal": (Law("lognormal", cv=0.5), 0.5, 8.1),
    "hyperexponential": (Law("hyperexponential", cv=2.0), 2.0, 53.0),
    "erlang": (Law("erlang", shape=4), 0.5, 4.5),
}
"""Each with its coefficient of variation and its kurtosis (3 for a normal law)."""


@pytest.mark.parametrize(("law", "cv", "kurtosis"), LAWS.values(), ids=LAWS)
def test_draws_have_a_mean_of_one_and_the_variance_of_their_law(law: Law, cv: float, kurtosis: float) -> None:
    draws = draw(law, stream(1, "test", law.distribution, "draws"), COUNT)

    # Five standard errors each: a correct law fails with a probability below 1e-6 per seed, and this seed is fixed.
    assert draws.mean() == pytest.approx(1, abs=5 * cv / math.sqrt(COUNT))
    assert draws.var() == pytest.approx(cv**2, abs=5 * cv**2 * math.sqrt((kurtosis - 1) / COUNT))


@pytest.mark.parametrize("law", [law for law, _, _ in LAWS.values()], ids=LAWS)
def test_draws_are_never_negative(law: Law) -> None:
    draws = draw(law, stream(2, "test", law.distribution, "draws"), 10_000)

    assert draws.min() >= 0
    assert np.isfinite(draws).all()


def test_deterministic_draws_are_all_one() -> None:
    assert draw(Law("deterministic"), stream(1, "", "", ""), 3).tolist() == [1.0, 1.0, 1.0]
