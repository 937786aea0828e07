"""The catalogue of metric names."""

import pytest

from sim.scenario.metric_names import METRIC_NAMES, is_metric, nearest, replica_of

KNOWN = [
    "requests.offered",
    "requests.unfinished",
    "latency.mean_s",
    "latency.p99_s",
    "ttft.p50_s",
    "queue.max_s",
    "route.p95_s",
    "throughput_per_s",
    "fairness.jain",
    "fairness.jain_random",
    "fairness.longest_streak",
    "fairness.busy_gini",
    "burst.max_over_ideal",
    "probes.timeouts",
    "probes.false_dead",
    "rows.removed_alive",
    "installs.redundant",
    "loads.failed",
    "in_flight.drift_s",
    "registry.lock_wait_p99_s",
    "replicas.dgx-spark1#0.requests",
    "replicas.a.b#12.utilization",
]
UNKNOWN = [
    "jain",
    "fairness",
    "latency.p98_s",
    "latency.p99",
    "goodput_per_s",
    "rows.stale",
    "replicas.spark.requests",
    "replicas.spark#x.share",
    "replicas.#0.share",
    "replicas.spark#00.share",
    "replicas.spark#0.latency",
    "fairness.busy_longest_streak",
    "fairness.busy_*",
]


@pytest.mark.parametrize("name", KNOWN)
def test_a_name_of_the_contract_is_a_metric(name: str) -> None:
    assert is_metric(name)


@pytest.mark.parametrize("name", [*UNKNOWN, ""])
def test_any_other_name_is_not(name: str) -> None:
    assert not is_metric(name)


def test_no_name_is_listed_twice() -> None:
    assert len(set(METRIC_NAMES)) == len(METRIC_NAMES)


def test_a_misspelt_name_has_a_nearest_one() -> None:
    assert nearest("fairness.jian") == "fairness.jain"


def test_the_metric_of_a_replica_tells_node_and_index() -> None:
    assert replica_of("replicas.a#b#3.share") == ("a#b", 3)
