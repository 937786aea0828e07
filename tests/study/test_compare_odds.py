"""A comparison finds what was planted, and nothing where there is nothing but chance.

Each test says how often it fails though all is well. `SIM_TEST_BASE_SEED` sets another base seed.
"""

import os
from typing import Any

import pytest
from scipy import stats

from sim import ScenarioFile, compare, loads
from sim.measure.differences import Finding

BASE_SEED = int(os.environ.get("SIM_TEST_BASE_SEED", "20260522"))


def model(service: str, nodes: int) -> str:
    replicas = ", ".join(f"{{node: n{number}}}" for number in range(nodes))
    return f"{{name: qwen3, backend: {{health: independent}}, service: {{{service}}}, replicas: [{replicas}]}}"


def scenario(workload: str, duration: str, service: str, variants: str, nodes: int = 3) -> str:
    """Frontends and messages take no time, so that all that requests spend is waiting and service."""
    return f"""
name: odds
duration: {duration}
nodes: [{", ".join(f"{{name: n{number}}}" for number in range(nodes))}]
models: [{model(service, nodes)}]
registry: {{transaction: 0s}}
network: {{latency: 0s}}
router: {{profile: fixed}}
workload: {workload}
variants: {{{variants}}}
"""


def with_3_percent_more_service(workload: str, duration: str, law: str, nodes: int) -> str:
    slower = model(f"mean: 1030ms, {law}", nodes)
    variants = f"base: {{}}, slower: {{models: [{slower}]}}"
    return scenario(workload, duration, f"mean: 1s, {law}", variants, nodes)


# Requests that never wait for each other, so that 3 % of service time is 3 % of 1 s.
PLANTED = loads(
    with_3_percent_more_service(
        "[{kind: uniform, model: qwen3, rate: 0.1/s}]", "20m", "distribution: lognormal, cv: 0.3", nodes=3
    )
)


def test_3_percent_more_service_time_is_found_and_the_interval_holds_it() -> None:
    """Fails in one of a thousand base seeds, as intervals of 99.9 % do."""
    row = compare(PLANTED, metrics=["latency.mean_s"], seed=BASE_SEED, confidence=0.999).row("latency.mean_s")

    assert row.verdict is Finding.A
    assert row.interval is not None
    assert row.interval.holds(0.030)
    assert not row.interval.holds(0.033)


class RandomTies:
    """The least loaded replica, ties at random."""

    skipped = 0
    """Draws that are left out first: another number makes another stream of the same law."""

    def __init__(self, context: Any) -> None:
        self.random = context.random
        for _ in range(self.skipped):
            self.random.random()

    def pick(self, replicas: Any, request: Any) -> Any:
        least = min(replica.in_flight for replica in replicas)
        return self.random.choice([replica for replica in replicas if replica.in_flight == least])


class OtherStream(RandomTies):
    skipped = 1


POISSON = "{kind: poisson, model: qwen3, rate: 1.5/s}"
BURSTS = f"[{POISSON}, {{kind: burst, model: qwen3, requests: 6, at: 10s, every: 10s}}]"
LOGNORMAL = "mean: 1s, distribution: lognormal, cv: 0.7"
TIES = scenario(BURSTS, "25s", LOGNORMAL, "fifo: {}, shuffle: {tie_order: shuffle}") + "frontends: 2\n"
STREAMS = scenario(f"[{POISSON}]", "25s", LOGNORMAL, "one: {router: {policy: one}}, two: {router: {policy: two}}")
BY_CHANCE = {
    "order of ties": loads(TIES),
    "streams": loads(STREAMS, policies={"one": RandomTies, "two": OtherStream}),
}


def alarms(file: ScenarioFile, base_seeds: int, reps: int) -> int:
    """The comparisons that tell one variant from the other."""
    comparisons = (compare(file, seed=BASE_SEED + number * reps, reps=reps) for number in range(base_seeds))
    return sum(bool(one.better or one.worse) for one in comparisons)


def test_an_alarm_is_given_where_there_is_a_difference() -> None:
    assert alarms(PLANTED, base_seeds=2, reps=5) == 2


@pytest.mark.parametrize(
    ("base_seeds", "reps", "most"),
    [
        # Ten comparisons of which each tells them apart once in 20 have four alarms once in a thousand.
        pytest.param(10, 4, 3, id="short"),
        # Of 100, more than 5 would be allowed; the margin leaves far fewer.
        pytest.param(100, 20, 5, id="long", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("cause", BY_CHANCE)
def test_variants_that_differ_by_chance_alone_are_not_told_apart(
    cause: str, base_seeds: int, reps: int, most: int
) -> None:
    assert alarms(BY_CHANCE[cause], base_seeds, reps) <= most


@pytest.mark.parametrize("cause", BY_CHANCE)
def test_those_variants_do_decide_differently(cause: str) -> None:
    comparison = compare(BY_CHANCE[cause], seed=BASE_SEED, reps=4)

    assert comparison.identical == []
    assert comparison.unclear


@pytest.mark.long
def test_95_of_100_comparisons_of_two_queues_hold_the_true_difference() -> None:
    """M/M/1 at 0.3 of its capacity, and with 3 % more service: fails in about one of a thousand base seeds."""
    workload = "[{kind: poisson, model: qwen3, rate: 0.3/s}]"
    text = with_3_percent_more_service(workload, "1060s", "distribution: exponential", nodes=1)
    file = loads(f"{text}warmup: 60s\n")
    difference = 1 / (1 / 1.03 - 0.3) - 1 / (1 - 0.3)
    low, high = stats.binom.interval(0.999, 400, 0.95)

    comparisons = (
        compare(file, metrics=["latency.mean_s"], seed=BASE_SEED + 10 * number, reps=10) for number in range(400)
    )

    intervals = (one.row("latency.mean_s").interval for one in comparisons)
    assert low <= sum(one is not None and one.holds(difference) for one in intervals) <= high
