"""The names that metrics may have, and what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.scenario.vocabulary import AskedMetric, Vocabulary, model_metric, replica_label, replica_metric

METRICS = Vocabulary(of_run=("latency.p99_s", "throughput_per_s"), of_model=("fairness.jain",), of_replica=("share",))

ASKED = {
    "latency.p99_s": AskedMetric("latency.p99_s"),
    "throughput_per_s": AskedMetric("throughput_per_s"),
    "fairness.jain": AskedMetric("fairness.jain"),
    "models.qwen3.fairness.jain": AskedMetric("fairness.jain", "qwen3"),
    "models.a.b/c:d-e.fairness.jain": AskedMetric("fairness.jain", "a.b/c:d-e"),
    "models.fairness.jain.fairness.jain": AskedMetric("fairness.jain", "fairness.jain"),
    "replicas.dgx-spark1#0.share": AskedMetric("share", None, ("dgx-spark1", 0)),
    "replicas.a.b#12.share": AskedMetric("share", None, ("a.b", 12)),
    "replicas.qwen/2.5:7b@a.b#1.share": AskedMetric("share", "qwen/2.5:7b", ("a.b", 1)),
    "replicas.replicas.share@x#0.share": AskedMetric("share", "replicas.share", ("x", 0)),
}
UNKNOWN = [
    "",
    "jain",
    "fairness",
    "latency.p98_s",
    "latency.p99",
    "models.qwen3.latency.p99_s",
    "models.fairness.jain",
    "models..fairness.jain",
    "replicas.spark.share",
    "replicas.spark#x.share",
    "replicas.#0.share",
    "replicas.spark#00.share",
    "replicas.spark#0.latency",
    "replicas.a@b@spark#0.share",
    "replicas.@spark#0.share",
]

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,20}", fullmatch=True)


@pytest.mark.parametrize("name", ASKED)
def test_a_name_is_taken_apart(name: str) -> None:
    assert METRICS.ask(name) == ASKED[name]


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_name_that_no_metric_can_have_is_none(name: str) -> None:
    assert METRICS.ask(name) is None


@given(names, st.integers(0, 999), names | st.none())
def test_whatever_a_model_and_a_node_are_called_their_replica_can_be_asked_for(
    node: str, index: int, model: str | None
) -> None:
    asked = METRICS.ask(replica_metric(replica_label(node, index, model), "share"))

    assert asked == AskedMetric("share", model, (node, index))


@given(names)
def test_whatever_a_model_is_called_its_fairness_can_be_asked_for(model: str) -> None:
    assert METRICS.ask(model_metric(model, "fairness.jain")) == AskedMetric("fairness.jain", model)
