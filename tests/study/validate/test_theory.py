"""The closed forms that runs are controlled by, against printed figures."""

from math import exp

import pytest

from sim.study.validate.queueing.arrivals import POISSON, Batches, Even
from sim.study.validate.queueing.services import EXPONENTIAL, SHORT_AND_LONG
from sim.study.validate.queueing.theory import (
    decay_rate_of_constant_service,
    embedded_root,
    erlang_c,
    multi_server_wait,
    relaxation_time,
)


@pytest.mark.parametrize(("workers", "load", "chance"), [(4, 0.5, 0.173913), (4, 0.8, 0.596432), (8, 0.9, 0.701533)])
def test_the_probability_of_waiting_is_erlang_c(workers: int, load: float, chance: float) -> None:
    assert erlang_c(workers, load) == pytest.approx(chance, abs=5e-7)


def test_the_wait_at_several_workers() -> None:
    assert multi_server_wait(2, 0.8) == pytest.approx(1.777777778)


@pytest.mark.parametrize(
    ("stages", "load", "sigma"),
    [(1, 0.8, 0.8), (2, 0.8, 0.739852949), (8, 0.9, 0.827010956), (None, 0.5, 0.20318787), (None, 0.95, 0.90169511)],
)
def test_the_root_of_evener_arrivals(stages: int | None, load: float, sigma: float) -> None:
    assert embedded_root(load, stages) == pytest.approx(sigma, abs=5e-9)


def test_mean_waits_of_one_server() -> None:
    """The sojourns in a batch are (K + 1)/(2(1 - load)), with geometric batches those of their mean over 1 - load."""
    assert POISSON.mean_wait(0.8, SHORT_AND_LONG) == pytest.approx(6.52)
    assert Batches(4).mean_wait(0.5, EXPONENTIAL) + 1 == pytest.approx(5.0)
    assert Batches(2, is_geometric=True).mean_wait(0.8, EXPONENTIAL) + 1 == pytest.approx(10.0)
    assert Even().mean_wait(0.5, EXPONENTIAL) + 1 == pytest.approx(1.255000975)


@pytest.mark.parametrize(("load", "percentile"), [(0.7, 6.485499429), (0.9, 21.89823735)])
def test_the_tail_of_constant_service_falls_at_its_rate(load: float, percentile: float) -> None:
    """The 99th percentiles are those of the table. The factor of the tail is (1 - load)/(load exp(rate) - 1)."""
    rate = decay_rate_of_constant_service(load)

    assert (1 - load) / (load * exp(rate) - 1) * exp(-rate * percentile) == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize(("load", "time"), [(0.5, 11.7), (0.8, 89.7), (0.9, 379.7), (0.95, 1559.7)])
def test_relaxation_times(load: float, time: float) -> None:
    assert relaxation_time(load) == pytest.approx(time, abs=0.05)
