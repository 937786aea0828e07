"""Offered work over capacity, and the verdict on whether requests pile up."""

import numpy as np
import pytest

from sim import RunResult, loads, run
from sim.measure.analysis.load import INSTANTS, LoadVerdict, piles_up, present_at, verdict
from sim.measure.recording.records import MISSING


def test_a_request_is_present_from_its_arrival_until_just_before_its_end() -> None:
    arrivals, ends = np.array([0, 10, 10, 25]), np.array([10, MISSING, 30, 26])

    assert present_at(np.array([0, 9, 10, 25, 26, 30, 99]), arrivals, ends).tolist() == [1, 1, 2, 3, 2, 1, 1]


LEVELS = {
    "a steady rise": (list(range(20)), 100, True),
    "a rise of few among many": (list(range(20)), 1000, False),
    "a burst that drains": (list(range(20, 0, -1)), 100, False),
    "always as many": ([7] * 20, 100, False),
    "up and down": ([0, 9] * 10, 100, False),
}


@pytest.mark.parametrize("case", LEVELS)
def test_requests_pile_up_if_there_are_ever_more_and_this_is_a_part_of_all(case: str) -> None:
    levels, arrivals, answer = LEVELS[case]

    assert piles_up(np.array(levels), arrivals) is answer


RISE, FALL = np.arange(20), np.arange(20)[::-1]
OF_A_HUNDRED = {
    "they pile up, more than can be served": (RISE, 0, 1.2, LoadVerdict.OVERLOADED),
    "they pile up, and could be served": (RISE, 0, 0.6, LoadVerdict.BACKLOGGED),
    "they pile up, nobody knows the capacity": (RISE, 0, None, LoadVerdict.BACKLOGGED),
    "too many, but no more and more": (FALL, 0, 1.2, LoadVerdict.STABLE),
    "too many, and some go unserved": (FALL, 5, 1.0, LoadVerdict.OVERLOADED),
    "too many, and few go unserved": (FALL, 4, 1.0, LoadVerdict.STABLE),
    "all go unserved that could be served": (FALL, 100, 0.6, LoadVerdict.STABLE),
    "all go unserved, nobody knows the capacity": (FALL, 100, None, LoadVerdict.STABLE),
}


@pytest.mark.parametrize("case", OF_A_HUNDRED)
def test_it_is_an_overload_where_there_is_more_work_than_capacity_and_requests_pile_up_or_go_unserved(
    case: str,
) -> None:
    present, unserved, utilization, answer = OF_A_HUNDRED[case]

    assert verdict(present, 100, unserved, utilization) is answer


def alarms(load: float, runs: int, arrivals: int = 300) -> int:
    """Count the queues M/M/1 at this load that are taken for growing; each starts empty."""
    random, count = np.random.default_rng(), 0
    for _ in range(runs):
        arrives = np.cumsum(random.exponential(1 / load, arrivals))
        served = np.cumsum(random.exponential(1, arrivals))
        # A server that never waits but for the next arrival: Lindley's recursion, written as a running maximum.
        ends = served + np.maximum.accumulate(arrives - np.concatenate(([0], served[:-1])))
        instants = arrives[-1] * np.arange(1, INSTANTS + 1) / INSTANTS
        count += piles_up(
            present_at(*(np.rint(times * 1e9).astype(int) for times in (instants, arrives, ends))), arrivals
        )
    return count


def test_a_queue_in_balance_is_rarely_taken_for_one_that_grows_and_an_overloaded_one_is_found() -> None:
    """If one in thirty were mistaken, as is promised at most, 20 of 200 would be in one test of 50,000."""
    assert alarms(0.8, runs=200) < 20
    assert alarms(1.5, runs=50) >= 45


QUEUE = """
name: queue
duration: {duration}
nodes: [{{name: a}}, {{name: b}}]
models:
  - name: m
    backend: {{health: independent}}
    service: {{mean: 1s, distribution: deterministic}}
    replicas: [{{node: a}}, {{node: b}}]
workload: [{{kind: uniform, model: m, rate: {rate}}}]
variants: {{pinned: {{router: {{profile: pinned}}}}, fixed: {{}}}}
"""


def measured(rate: str, variant: str = "fixed", duration: str = "200s") -> RunResult:
    return run(loads(QUEUE.format(rate=rate, duration=duration)), variant)


def test_utilization_is_arrivals_times_service_over_the_time_of_all_workers() -> None:
    assert measured("1/s").metrics["load.utilization"] == pytest.approx(0.5, rel=0.01)
    assert measured("3/s").metrics["load.utilization"] == pytest.approx(1.5, rel=0.01)
    assert measured("1/s").metrics_in(after="100s")["load.utilization"] == pytest.approx(0.5, rel=0.02)


def test_a_process_that_serves_on_without_its_row_adds_to_the_capacity() -> None:
    served_out_of_sight = QUEUE.replace("variants:", "faults: [{{kind: row_deleted, {row}, at: 100s}}]\nvariants:")
    text = served_out_of_sight.format(rate="3/s", duration="200s", row="node: a, model: m")

    found = run(loads(text), "fixed").metrics["load.utilization"]

    # Node a has a queue of 50 s when its row goes, and is idle after that: 350 s in which to do 600 s of work.
    assert found == pytest.approx(600 / 350, rel=0.02)


VERDICTS = {
    "half a load": ("1/s", "fixed", LoadVerdict.STABLE),
    "more than both can do": ("3/s", "fixed", LoadVerdict.OVERLOADED),
    "all on one of two, more than it can do": ("1.5/s", "pinned", LoadVerdict.BACKLOGGED),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_a_run_says_what_becomes_of_its_requests_in_the_long_run(case: str) -> None:
    rate, variant, answer = VERDICTS[case]

    assert measured(rate, variant).metrics["load.verdict"] == answer


def test_too_few_requests_have_no_verdict() -> None:
    assert "load.verdict" not in measured("3/s", duration="30s").metrics
