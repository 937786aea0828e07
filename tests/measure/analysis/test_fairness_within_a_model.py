"""Fairness is a matter within a model: what one model's requests do says nothing of how another's were spread."""

import pytest

from sim import judge, loads, run
from sim.measure import tables
from sim.measure.facts import RunFacts
from sim.routing.replica import ReplicaKey
from tests.measure.hand_made import figures, served

Q0, Q1, P0, P1, P2 = (ReplicaKey(node, model, 0) for model, node in ("q0", "q1", "p0", "p1", "p2"))
BOTH = ("q", "p")
WORST = {"jain": min, "entropy": min, "gini": max, "busiest_share": max, "longest_streak": max}


def test_two_models_that_are_each_spread_evenly_are_perfectly_fair() -> None:
    # 20 requests on each replica of q, 4 on each of p: over all five replicas Jain's index would be 0.688.
    metrics = figures(served([Q0, Q1] * 20 + [P0, P1, P2] * 4, ready=[Q0, Q1, P0, P1, P2]), *BOTH)

    assert metrics["fairness.jain"] == 1
    assert metrics["fairness.max_over_mean"] == 1
    assert metrics["fairness.busy_jain"] == 1
    assert metrics["models.q.fairness.jain"] == metrics["models.p.fairness.jain"] == 1


def test_two_models_that_are_each_pinned_to_a_node_of_their_own_are_seen_to_be() -> None:
    # Node 0 and node 1 get half of all requests each, which looks even from afar.
    metrics = figures(served([Q0, P1] * 10, ready=[Q0, Q1, P0, P1]), *BOTH)

    assert metrics["fairness.jain"] == 0.5
    assert metrics["fairness.busiest_share"] == 1
    assert metrics["fairness.longest_streak"] == 10
    assert {label: metrics[f"replicas.{label}.share"] for label in ("q@0#0", "q@1#0", "p@0#0", "p@1#0")} == {
        "q@0#0": 1,
        "q@1#0": 0,
        "p@0#0": 0,
        "p@1#0": 1,
    }


def test_the_plain_name_is_that_of_the_model_with_the_worst_figure() -> None:
    # q: 9 to 1. p: 2 to 2 to 1, but in longer streaks than q.
    skewed, streaky = [Q0, Q1, *[Q0] * 8], [P0, P0, P1, P1, P2]
    metrics = figures(served(skewed + streaky, ready=[Q0, Q1, P0, P1, P2]), *BOTH)

    for name, worst in WORST.items():
        of_models = [metrics[f"models.{model}.fairness.{name}"] for model in BOTH]
        assert of_models[0] != of_models[1]
        assert metrics[f"fairness.{name}"] == worst(of_models)


def test_the_noise_floor_is_that_of_the_model_whose_jain_index_stands_beside_it() -> None:
    # q is even, with few requests and so a low floor; p is not, and has a higher one.
    metrics = figures(served([Q0, Q1] * 2 + [P0] * 90, ready=[Q0, Q1, P0, P1]), *BOTH)

    assert metrics["fairness.jain"] == metrics["models.p.fairness.jain"] < metrics["models.q.fairness.jain"]
    assert metrics["models.q.fairness.jain_random"] < metrics["models.p.fairness.jain_random"]
    assert metrics["fairness.jain_random"] == metrics["models.p.fairness.jain_random"]


def test_a_model_that_completed_nothing_has_no_fairness_and_does_not_hide_the_others() -> None:
    metrics = figures(served([Q0] * 4, ready=[Q0, Q1, P0]), *BOTH)

    assert metrics["fairness.jain"] == metrics["models.q.fairness.jain"] == 0.5
    assert "models.p.fairness.jain" not in metrics
    assert metrics["replicas.p@0#0.requests"] == 0
    assert "replicas.p@0#0.share" not in metrics


def test_a_replica_that_became_ready_after_its_models_last_request_does_not_count() -> None:
    text = """
name: late
duration: 100s
nodes: [{name: a}, {name: b}]
models:
  - {name: q, service: {mean: 1ms}, replicas: [{node: a}, {node: b, ready_at: 50s}]}
  - {name: p, service: {mean: 1ms}, replicas: [{node: a}]}
workload:
  - {model: q, kind: burst, at: 1s, requests: 4}
  - {model: p, kind: burst, at: 90s, requests: 1}
"""
    metrics = run(loads(text)).metrics

    assert metrics["models.q.fairness.jain"] == 1
    assert "replicas.q@b#0.share" not in metrics


def test_requests_of_two_models_that_arrive_together_are_two_bursts() -> None:
    text = """
name: bursts
duration: 10s
nodes: [{name: a}, {name: b}]
models:
  - {name: q, service: {mean: 1ms}, replicas: [{node: a}, {node: b}]}
  - {name: p, service: {mean: 1ms}, replicas: [{node: a}, {node: b}]}
registry: {transaction: 0ns}
workload:
  - {model: q, kind: burst, at: 1s, requests: 4}
  - {model: p, kind: burst, at: 1s, requests: 1}
"""
    metrics = run(loads(text)).metrics

    assert metrics["burst.max_over_ideal"] == metrics["models.q.burst.max_over_ideal"]
    assert "models.p.burst.max_over_ideal" not in metrics


@pytest.mark.parametrize(("models", "labels"), [(("q",), ["0#0", "1#0"]), (BOTH, ["q@0#0", "q@1#0"])])
def test_the_tables_call_a_replica_what_the_metrics_call_it(models: tuple[str, ...], labels: list[str]) -> None:
    records, facts = served([Q0, Q1], ready=[Q0, Q1]), RunFacts(models)

    assert tables.requests(records, facts)["replica"].tolist() == labels
    assert tables.events(records, facts)["replica"].tolist() == labels
    assert tables.replicas(records, facts, 2000)["replica"].tolist() == labels
    assert {f"replicas.{label}.share" for label in labels} <= figures(records, *models).keys()


def test_shares_in_the_table_of_replicas_are_shares_of_the_model() -> None:
    replicas = tables.replicas(served([Q0, Q0, Q0, Q1, P0], ready=[Q0, Q1, P0, P1, P2]), RunFacts(BOTH), 5000)

    assert replicas["share"].tolist() == [0.75, 0.25, 1, 0, 0]


def test_a_share_of_nothing_is_missing() -> None:
    replicas = tables.replicas(served([Q0], ready=[Q0, P0]), RunFacts(BOTH), 1000)

    assert replicas.set_index("replica")["share"].dropna().to_dict() == {"q@0#0": 1}


def test_an_expectation_speaks_of_the_model_and_the_replica_that_it_names() -> None:
    text = """
name: two_models
duration: 20s
nodes: [{name: a}, {name: b}]
models:
  - {name: qwen/2.5:7b, service: {mean: 1ms}, replicas: [{node: a}, {node: b}]}
  - {name: p, service: {mean: 1ms}, replicas: [{node: a}]}
workload:
  - {model: qwen/2.5:7b, kind: uniform, rate: 2/s}
  - {model: p, kind: uniform, rate: 1/s}
expect:
  - {metric: fairness.jain, model: "qwen/2.5:7b", min: 0.99}
  - {metric: "models.qwen/2.5:7b.fairness.jain", min: 0.99}
  - {metric: "replicas.qwen/2.5:7b@a#0.share", min: 0.4, max: 0.6}
  - {metric: fairness.busiest_share, model: p, min: 1}
  - {metric: fairness.busiest_share, min: 1}
"""
    file = loads(text)

    verdicts = judge(file.expect, {"default": run(file)})

    assert [(verdict.metric, verdict.passed) for verdict in verdicts] == [
        ("models.qwen/2.5:7b.fairness.jain", True),
        ("models.qwen/2.5:7b.fairness.jain", True),
        ("replicas.qwen/2.5:7b@a#0.share", True),
        ("models.p.fairness.busiest_share", True),
        ("fairness.busiest_share", True),
    ]
