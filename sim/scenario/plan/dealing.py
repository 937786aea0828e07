"""Which frontend takes which request: the balancer before the routers.

The way of dealing decides what stream of arrivals a frontend sees, and so how often its probe cache is asked and how
many of its picks meet. Of a Poisson stream of rate r, each of R frontends sees

- dealt in turn: every R-th arrival, so gaps of Erlang's law with R stages: mean R/r as below, but a coefficient of
  variation of only 1/sqrt(R) (Kleinrock, Queueing Systems I, 1975, section 4.3);
- at random: a Poisson stream of rate r/R, independent of the others' (the same, section 2.4);
- by hash: the whole streams of some workloads, and perhaps none.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from sim.scenario.plan.streams import stream
from sim.scenario.spec.frontends import DealingName
from sim.scenario.spec.schema import Scenario

_Deal = Callable[[int, np.random.Generator, int], NDArray[np.int64]]
"""Given the number of frontends, a workload's random stream and the number of its requests; returns their frontends."""

_DEALINGS: Mapping[DealingName, _Deal] = {
    "round_robin": lambda frontends, _draw, requests: np.arange(requests) % frontends,
    "random": lambda frontends, draw, requests: draw.integers(frontends, size=requests),
    "hash": lambda frontends, draw, requests: np.full(requests, draw.integers(frontends)),
}


def frontends_of(scenario: Scenario, seed: int, source: int, requests: int) -> NDArray[np.int64]:
    """Return the index of the frontend of each request of an open workload, in the order of arrival."""
    draw = stream(seed, "workload", str(source), "frontends")
    return _DEALINGS[scenario.frontends.dealing](scenario.frontends.count, draw, requests)


def frontend_of_user(scenario: Scenario, seed: int, source: int, number: int) -> int:
    """Return the index of the frontend that a user of a closed workload keeps."""
    if scenario.frontends.dealing == "round_robin":
        return number % scenario.frontends.count
    # A user is one client: a draw for the user is also what a hash of its address would give.
    return int(stream(seed, "user", f"{source}/{number}", "frontend").integers(scenario.frontends.count))
