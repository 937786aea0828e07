"""The whole way of a request, router, registry and backend, against queueing theory.

With a registry and a network that take no time and health calls that wait for nobody, one replica with c workers is an
M/M/c queue, whose mean sojourn time is known: T = 1/mu + C(c, a)/(c mu - lambda), with C the probability of having to
wait (Erlang 1917). Sources of the figures: T = 2 for one worker at half load; T = 1.086957 and P(wait) = 0.173913 for
four workers at half load, service 1 s.

Each law is tested with a Student-t interval of 99.9 % over independent replications, so an engine that is right fails
each of them once in a thousand base seeds. The short form tells faults of 20 % from none, the long one (`pytest -m
long`) those of 2 %. Every replication leaves out its first ten relaxation times, and follows the requests that arrive
afterwards to their end. Tests of the same replications share them. `SIM_TEST_BASE_SEED` sets another base seed.
"""

import os
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from sim import RunResult, loads, run
from sim.measure.statistics import Interval, mean_interval
from tests.forms import mostly_short

BASE_SEED = int(os.environ.get("SIM_TEST_BASE_SEED", "20260522"))
CONFIDENCE = 0.999
TEN_RELAXATION_TIMES = "120s"
"""The slower of the two, one worker, relaxes in 1/(mu (1 - sqrt(rho))^2) = 11.7 s."""


class Law(NamedTuple):
    """A queue of exponential service of mean 1 s at half load, and its mean sojourn time."""

    workers: int
    sojourn_s: float
    requests: int
    """Per replication of the long form: its interval is then clearly narrow enough, whatever the base seed."""

    @property
    def rate_per_s(self) -> float:
        """Arrivals."""
        return 0.5 * self.workers


class Form(NamedTuple):
    """How closely a law is looked at."""

    replications: int
    part: float
    """Of the law's requests, in each replication."""
    most_relative_width: float
    """Of the interval, by its mean."""
    slower_by: float
    """A fault of the service time that has to be noticed."""


SHORT = Form(20, 1 / 16, most_relative_width=0.35, slower_by=0.2)
FORMS = [
    pytest.param(SHORT, id="short"),
    pytest.param(Form(100, 1, most_relative_width=0.02, slower_by=0.02), id="long", marks=pytest.mark.long),
]

LAWS = {"M/M/1": Law(1, 2.0, 18_000), "M/M/4": Law(4, 1.086957, 10_000)}
WAITS_OF_FOUR = 0.173913


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", LAWS)
def test_the_mean_sojourn_time_is_the_one_of_theory(name: str, form: Form) -> None:
    law = LAWS[name]

    interval = sojourn_interval(law, form)

    assert interval.high - interval.low <= form.most_relative_width * interval.mean
    assert interval.holds(law.sojourn_s), interval


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", mostly_short(LAWS, long=("M/M/4",)))
def test_service_that_takes_a_little_longer_is_noticed(name: str, form: Form) -> None:
    """The interval has to be able to say no: 2 % move the means by 4 % and 2.6 %, 20 % by 50 % and 30 %."""
    law = LAWS[name]

    interval = sojourn_interval(law, form, service=f"{1000 * (1 + form.slower_by):.0f}ms")

    assert interval.low > law.sojourn_s, interval


def test_the_probability_of_waiting_for_four_workers_is_erlang_c() -> None:
    interval = waits_interval(SHORT)

    assert interval.holds(WAITS_OF_FOUR), interval


def test_a_probability_of_waiting_that_is_larger_is_noticed() -> None:
    """Of four workers that take 20 % longer, 28.7 % of the requests wait."""
    interval = waits_interval(SHORT, service="1200ms")

    assert interval.low > WAITS_OF_FOUR, interval


def test_the_time_requests_spend_adds_up_to_the_number_of_requests_over_time() -> None:
    """Little's law as an identity: L = lambda W, here with both sides times the length of the run, in whole ns."""
    table = run(loads(scenario_text(LAWS["M/M/4"], 2_000, "1s")), seed=BASE_SEED).records.requests
    arrivals_ns, ends_ns = table["arrival_ns"].tolist(), table["end_ns"].tolist()

    number_over_time = area_ns([(time, 1) for time in arrivals_ns] + [(time, -1) for time in ends_ns])

    assert number_over_time == sum(end - arrival for arrival, end in zip(arrivals_ns, ends_ns, strict=True)) > 0


def sojourn_interval(law: Law, form: Form, service: str = "1s") -> Interval:
    return mean_interval([one.sojourn_s for one in replications(law, form, service)], CONFIDENCE)


def waits_interval(form: Form, service: str = "1s") -> Interval:
    return mean_interval([one.waited for one in replications(LAWS["M/M/4"], form, service)], CONFIDENCE)


class Replication(NamedTuple):
    """What is looked at of one."""

    sojourn_s: float
    """Mean."""
    waited: float
    """Share of the requests."""


@cache
def replications(law: Law, form: Form, service: str) -> list[Replication]:
    file = loads(scenario_text(law, round(law.requests * form.part), service))
    runs = (run(file, seed=BASE_SEED + number) for number in range(form.replications))
    return [Replication(result.metrics["latency.mean_s"], share_of_waits(result)) for result in runs]


def scenario_text(law: Law, requests: int, service: str) -> str:
    return f"""
name: queueing_law
duration: {120 + round(requests / law.rate_per_s)}s
warmup: {TEN_RELAXATION_TIMES}
nodes: [{{name: station}}]
models:
  - name: qwen3
    backend: {{workers: {law.workers}, health: independent}}
    service: {{mean: {service}, distribution: exponential}}
    replicas: [{{node: station}}]
registry: {{transaction: 0s}}
network: {{latency: 0s}}
router: {{profile: fixed}}
workload: [{{kind: poisson, model: qwen3, rate: {law.rate_per_s}/s}}]
"""


def share_of_waits(result: RunResult) -> float:
    requests = result.requests
    counted = requests[requests["arrival_s"] >= 120]
    return float(np.mean(counted["start_s"] > counted["arrival_s"]))


def area_ns(steps: list[tuple[int, int]]) -> int:
    """Integrate a number that changes by each step's second part at its first, in ns."""
    area, number, since_ns = 0, 0, 0
    for time_ns, change in sorted(steps):
        area += number * (time_ns - since_ns)
        number += change
        since_ns = time_ns
    return area
