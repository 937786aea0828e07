"""Variants compared on the same seeds: `from sim import compare`."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sim import Comparison, NoSuchMetric, NoSuchVariant, compare, loads, run
from sim.measure.catalogue import Better, metric_of
from sim.measure.differences import Finding
from sim.measure.statistics import paired_difference
from sim.routing.policies.best_replica import pick_best_replica
from sim.study.comparison import CHIEF_METRICS

TEXT = """
name: queue
seed: 3
duration: 2m
nodes: [{name: spark}, {name: thor}]
models:
  - {name: qwen3, service: {mean: 1s, distribution: exponential}, backend: {health: independent},
     replicas: [{node: spark}, {node: thor}]}
workload: [{kind: poisson, model: qwen3, rate: 0.8/s}]
router: {profile: fixed}
variants:
  pinned: {router: {profile: pinned}}
  fixed: {}
  again: {router: {probe: {timeout: 10s}}}
"""
FILE = loads(TEXT)
TWO = loads(TEXT.replace("  again: {router: {probe: {timeout: 10s}}}\n", ""))


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(FILE, a="pinned", b=["fixed", "again"], reps=5)


def test_a_row_is_the_paired_difference_of_runs_on_the_same_seeds(comparison: Comparison) -> None:
    a, b = ([run(FILE, name, seed).metrics["latency.mean_s"] for seed in range(3, 8)] for name in ("pinned", "fixed"))

    row = comparison.row("latency.mean_s", "fixed")

    assert comparison.seeds == (3, 4, 5, 6, 7)
    each = 1 - 0.05 / len(comparison.rows)
    assert row.interval == paired_difference(a, b, each)


def test_without_named_metrics_the_chief_ones_that_apply_are_compared(comparison: Comparison) -> None:
    compared = list(dict.fromkeys(row.metric for row in comparison.rows))

    # No answer has a first token, no process ended, and no requests arrived together.
    absent = {"ttft.p50_s", "ttft.p99_s", "rows.stale_s", "burst.max_over_ideal"}
    assert compared == [metric for metric in CHIEF_METRICS if metric not in absent]


def test_every_chief_metric_can_be_better() -> None:
    assert all(metric_of(metric).better is not Better.NEITHER for metric in CHIEF_METRICS)


def test_variants_that_decide_identically_are_told_apart_from_those_that_come_out_equal(comparison: Comparison) -> None:
    assert comparison.identical == [["fixed", "again"]]
    assert comparison.sentences[0] == "fixed and again decided identically on all 5 seeds."


def test_rows_can_be_asked_for_by_what_they_say(comparison: Comparison) -> None:
    jain = comparison.row("fairness.jain", "fixed")

    assert (jain.a, jain.verdict) == (0.5, Finding.B)
    assert jain in comparison.better
    assert not {row.metric for row in comparison.worse} & {row.metric for row in comparison.better}
    with pytest.raises(KeyError, match=r"no row for latency\.max_s of fixed; there are requests\.completed of fixed, "):
        comparison.row("latency.max_s", "fixed")
    with pytest.raises(
        KeyError, match=r"several variants have a row for fairness\.jain; name one of them: fixed, again"
    ):
        comparison.row("fairness.jain")


def test_fairness_comes_with_what_so_few_requests_have_at_random(comparison: Comparison) -> None:
    row = comparison.row("fairness.jain", "fixed")
    runs = [run(FILE, "fixed", seed).metrics["fairness.jain_random"] for seed in comparison.seeds]

    assert row.noise_floor is not None
    assert row.noise_floor[1] == pytest.approx(sum(runs) / 5)


def test_a_metric_without_a_better_direction_differs_or_does_not() -> None:
    comparison = compare(FILE, a="pinned", b="fixed", metrics=["replicas.thor#0.share", "requests.offered"], reps=3)

    assert [row.verdict for row in comparison.rows] == [Finding.DIFFERS, Finding.SAME]


def test_a_file_of_two_variants_needs_no_names() -> None:
    comparison = compare(TWO, metrics=["latency.p50_s"], reps=2)

    assert (comparison.question.a, comparison.question.b) == ("pinned", ("fixed",))
    assert compare(TWO, b="pinned", metrics=["latency.p50_s"], reps=2).question.a == "fixed"


def test_the_base_alone_is_compared_with_every_other_variant() -> None:
    assert compare(FILE, a="fixed", metrics=["latency.p50_s"], reps=2).question.b == ("pinned", "again")


def test_a_picker_is_compared_like_a_variant() -> None:
    comparison = compare(TWO, a="fixed", b="mine", policies={"mine": pick_best_replica}, reps=2)

    assert comparison.sentences[0] == "fixed and mine decided identically on all 2 seeds."


def test_whoever_does_the_runs_changes_no_figure(comparison: Comparison) -> None:
    with ThreadPoolExecutor(2) as executor:
        shared = compare(FILE, a="pinned", b=["fixed", "again"], reps=5, executor=executor)

    assert shared.document == comparison.document


def test_with_a_precision_batches_run_until_the_intervals_are_narrow_enough() -> None:
    metrics = ["requests.completed", "latency.p50_s"]

    comparison = compare(TWO, metrics=metrics, reps=5, precision=0.2, max_reps=500)

    seeds = len(comparison.seeds)
    row = comparison.row("latency.p50_s")
    assert row.interval is not None
    assert row.a is not None
    assert row.interval.half_width <= 0.2 * row.a
    assert seeds % 5 == 0
    assert seeds > 5
    assert not any(told.startswith("After") for told in comparison.sentences)
    # The batch before was not enough.
    before = compare(TWO, metrics=metrics, reps=seeds - 5).row("latency.p50_s")
    assert before.interval is not None
    assert before.interval.half_width > 0.2 * (before.a or 0)


def test_a_budget_that_ends_first_is_told() -> None:
    comparison = compare(TWO, metrics=["latency.mean_s"], reps=2, precision=0.0001, max_reps=5)

    assert comparison.seeds == (3, 4, 5, 6, 7)
    told = "After 5 seeds half of the interval is still wider than 0.01 % of pinned in latency.mean_s."
    assert told in comparison.sentences


def test_a_variant_whose_requests_pile_up_is_named() -> None:
    crowded = loads(TEXT.replace("rate: 0.8/s", "rate: 1.6/s"))

    comparison = compare(crowded, a="fixed", b="pinned", metrics=["latency.p50_s"], reps=2)

    assert "pinned is backlogged on 2 of 2 seeds: its times grow with the length of the run." in comparison.sentences


MISTAKES = {
    "several variants and none named": ({}, NoSuchVariant, "name two of them as a and b: pinned, fixed, again"),
    "an unknown variant": ({"a": "pined", "b": "fixed"}, NoSuchVariant, "no variant 'pined'.*did you mean 'pinned'"),
    "a variant with itself": ({"a": "fixed", "b": "fixed"}, NoSuchVariant, "fixed cannot be compared with itself"),
    "an unknown metric": ({"a": "fixed", "metrics": ["latency.p99"]}, NoSuchMetric, r"did you mean 'latency\.p99_s'"),
    "one seed": ({"a": "fixed", "reps": 1}, ValueError, "at least 2 seeds, not 1"),
    "certainty": ({"a": "fixed", "confidence": 1}, ValueError, "a confidence is between 0 and 1, not 1"),
    "a negative margin": ({"a": "fixed", "margin": -0.1}, ValueError, "a margin is 0 or more"),
    "no precision": ({"a": "fixed", "precision": 0}, ValueError, "a precision is more than 0"),
    "a budget below a batch": ({"a": "fixed", "precision": 0.1, "max_reps": 5}, ValueError, "at most 5 seeds is less"),
    "a seed beyond the last": ({"a": "fixed", "seed": 2**64 - 5}, ValueError, "are not from 0 to"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_before_anything_runs(mistake: str) -> None:
    arguments, error, told = MISTAKES[mistake]

    with pytest.raises(error, match=told):
        compare(FILE, **arguments)  # type: ignore[arg-type]


def test_a_file_of_one_variant_has_nothing_to_compare() -> None:
    with pytest.raises(NoSuchVariant, match="has one variant; a comparison needs two"):
        compare(loads(TEXT.partition("variants:")[0]))


def test_a_comparison_reads_as_a_line_a_table_and_a_document(comparison: Comparison) -> None:
    assert repr(comparison).startswith("<Comparison queue: fixed, again against pinned on 5 seeds: ")
    assert str(comparison).count("\n") == len(comparison.rows) + len(comparison.sentences)
    assert "<td>fairness.jain</td>" in comparison._repr_html_()
    assert json.loads(json.dumps(comparison.document))["rows"][0] == {
        "metric": "requests.completed",
        "variant": "fixed",
        "pairs": 5,
        "seeds_to_tell": None,
        "noise_floor": None,
        **{name: comparison.document["rows"][0][name] for name in ("a", "b", "difference", "low", "high", "verdict")},
    }
    assert list(comparison.table.columns) == list(comparison.document["rows"][0])


def test_variants_that_decide_identically_on_some_seeds_are_told_of_too(comparison: Comparison) -> None:
    digests = {**comparison.digests, "fixed": (comparison.digests["pinned"][0], *comparison.digests["fixed"][1:])}

    sentences = replace(comparison, digests=digests).sentences

    assert sentences[0] == "pinned and fixed decided identically on 1 of 5 seeds."
