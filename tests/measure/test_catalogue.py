"""The catalogue of metrics, as a whole."""

import re
from collections import Counter
from functools import cache, reduce

import pytest

from sim import loads, run
from sim.measure.catalogue import CATALOGUE, VOCABULARY, Better, Metric, ModelMetric, RunMetric, Unit, metric_of
from sim.routing.replica import ReplicaKey
from tests.measure.hand_made import figures, served

CALM = """
name: calm
duration: 2m
nodes: [{name: n0}, {name: n1}]
models:
  - name: m
    backend: {prompt_cache: 1000}
    service: {prefill: 1000/s, decode: 100/s}
    scheduling: {min: 2}
    replicas: [{node: n0}, {node: n1}]
control_plane: {}
router: {profile: hardened}
workload:
  - kind: poisson
    model: m
    rate: 4/s
    prompt_tokens: 10
    output_tokens: 10
    prompts: {families: 8, shared_blocks: 2, own_blocks: 1}
  - {kind: burst, model: m, at: 5s, requests: 8, prompt_tokens: 10, output_tokens: 10}
"""
CRASH = f"{CALM}faults: [{{kind: node_crash, node: n0, at: 20s}}]\n"
# The same requests on a tired backend, whose health calls wait behind them, with clients that lose their patience.
ROUGH_ROUTER = (
    "uncached, liveness: fine_lock, failure_domain: replica, cancellation: propagated, reservation: request_scope, "
    "on_wrong_model: remove_row, control: {load_rows: lifecycle}"
)
TIRED = {"decode: 100/s": "decode: 4/s", "hardened": ROUGH_ROUTER, "rate: 4/s": "rate: 4/s\n    patience: 9s"}
ROUGH = f"""{reduce(lambda text, change: text.replace(*change), TIRED.items(), CALM)}
faults:
  - {{kind: node_crash, node: n0, at: 20s, restart_after: 30s}}
  - {{kind: load_failure, model: m, at: 40s, lasts: 30s}}
"""
TWO_MODELS = CALM.replace("models:", "models:\n  - {name: other/1.5, service: {mean: 1s}, replicas: [{node: n0}]}") + (
    "  - {kind: poisson, model: other/1.5, rate: 1/s}\n"
)
AS_BAD_IN_BOTH = {
    # No loop probes the first process of a node.
    "probes.loops_timeouts",
    "probes.loops_failed",
    "requests.misrouted",
    "requests.rejected",
    "requests.unfinished",
    "rows.stale_s",
    "requests.outdated",
    "rows.misplaced",
    "processes.outdated_s",
    "requests.retries",
    "nodes.detection_max_s",
    "in_flight.final",
    "in_flight.drift_s",
    "in_flight.floor_hits",
    "checks.timeouts",
    "checks.failed",
}
"""What is absent from the calm run, or 0 in the rough one too."""


@cache
def metrics_of(text: str) -> dict[str, float]:
    return run(loads(text)).metrics


def is_worse(metric: Metric, value: float, than: float) -> bool:
    return value < than if metric.better is Better.HIGHER else value > than


def directed(kind: type[Metric]) -> list[str]:
    return [one.name for one in CATALOGUE if isinstance(one, kind) and one.better is not Better.NEITHER]


def test_no_name_stands_for_two_metrics() -> None:
    assert [name for name, times in Counter(metric.pattern for metric in CATALOGUE).items() if times > 1] == []


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.pattern)
def test_a_name_ends_in_the_unit_of_its_time(metric: Metric) -> None:
    assert metric.name.endswith("_per_s") == (metric.unit is Unit.PER_SECOND)
    assert metric.name.endswith("_s") == (metric.unit in (Unit.SECONDS, Unit.PER_SECOND))


def test_every_metric_is_reported_by_a_run_in_which_a_node_crashes() -> None:
    reported = [metric_of(name) for name in metrics_of(CRASH)]

    assert [metric.pattern for metric in CATALOGUE if metric not in reported] == []


def test_a_scenario_may_expect_something_of_every_figure_that_is_reported() -> None:
    reported = metrics_of(CRASH) | metrics_of(TWO_MODELS)

    assert "models.other/1.5.fairness.jain" in reported
    assert "replicas.other/1.5@n0#0.share" in reported
    assert [name for name in reported if VOCABULARY.ask(name) is None] == []


@pytest.mark.parametrize("metric", [one for one in CATALOGUE if isinstance(one, ModelMetric)], ids=lambda one: one.name)
def test_a_metric_of_models_tells_which_of_two_models_is_worse(metric: ModelMetric) -> None:
    judge = metric.follows or metric

    assert judge.better is not Better.NEITHER


@pytest.mark.parametrize("name", [name for name in directed(RunMetric) if name not in AS_BAD_IN_BOTH])
def test_what_gets_worse_in_a_rough_run_is_what_the_catalogue_calls_worse(name: str) -> None:
    assert is_worse(metric_of(name), metrics_of(ROUGH)[name], than=metrics_of(CALM)[name])


@pytest.mark.parametrize("name", [name for name in directed(ModelMetric) if name.startswith("fairness.")])
def test_an_uneven_split_is_worse_than_an_even_one(name: str) -> None:
    a, b = (ReplicaKey(node, "m", 0) for node in "ab")
    even, uneven = (figures(served(replicas, ready=[a, b]), "m") for replicas in ([a, b] * 4, [a] * 7 + [b]))

    assert is_worse(metric_of(name), uneven[name], than=even[name])


def test_a_misspelt_name_has_no_entry() -> None:
    with pytest.raises(KeyError, match=re.escape("fairness.jian")):
        metric_of("fairness.jian")
