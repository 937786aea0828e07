"""Many runs by the Python interface: `from sim import run_all`."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sim import NoSuchVariant, Results, loads, run, run_all
from sim.study.errors import NotTheSameRun
from tests.cli.command import SMALL

EXPECT = """
expect:
  - {variant: fixed, metric: requests.completed, min: 5, after: 1500ms}
  - {variant: fixed, metric: requests.failed, max: 0}
"""
FILE = loads(SMALL + EXPECT)


@pytest.fixture(scope="module")
def results() -> Results:
    return run_all(FILE, seeds=(7, 8))


def test_every_variant_runs_on_every_seed_and_comes_out_as_a_run_alone_does(results: Results) -> None:
    assert [(one.variant, one.seed) for one in results.runs] == [
        ("pinned", 7),
        ("fixed", 7),
        ("pinned", 8),
        ("fixed", 8),
    ]
    for one in results.runs:
        alone = run(FILE, one.variant, one.seed)
        assert (one.digest, one.metrics) == (alone.digest, alone.metrics)


def test_metrics_are_one_tidy_table(results: Results) -> None:
    table = results.metrics

    assert list(table.columns) == ["variant", "seed", "metric", "value"]
    assert len(table) == sum(len(one.metrics) for one in results.runs)
    wide = table[table["metric"] == "latency.max_s"].pivot_table(index="seed", columns="variant", values="value")
    assert wide.loc[8, "fixed"] == run(FILE, "fixed", 8).metrics["latency.max_s"]


def test_a_verdict_that_did_not_hold_reads_as_a_line_with_all_that_matters(results: Results) -> None:
    values = [run(FILE, "fixed", seed).metrics_in(after="1500ms")["requests.completed"] for seed in (7, 8)]

    assert [str(verdict) for verdict in results.failed] == [
        f"fixed, seed {seed}: requests.completed after 1.5s is {value}, expected >= 5: failed"
        for seed, value in zip((7, 8), values, strict=True)
    ]
    assert [verdict.passed for verdict in results.verdicts] == [False, True, False, True]


def test_one_of_the_runs_is_had_again_with_its_tables(results: Results) -> None:
    result = results["fixed", 8]

    assert (result.variant, result.seed) == ("fixed", 8)
    assert len(result.requests) == 4


def test_a_run_that_is_not_among_them_is_refused(results: Results) -> None:
    with pytest.raises(KeyError, match=r"\('fixed', 9\) was not run; there are pinned, fixed on 2 seeds from 7 to 8"):
        results["fixed", 9]


def test_a_run_that_comes_out_otherwise_when_it_is_repeated_is_noticed(results: Results) -> None:
    forged = Results(FILE, tuple(replace(one, digest="0" * 32) for one in results.runs))

    with pytest.raises(NotTheSameRun, match=r"seed 7: 4 requests, .* had the digest 0{32} before"):
        forged["fixed", 7]


def test_results_read_as_one_line_and_show_in_a_notebook_what_failed(results: Results) -> None:
    assert len(results) == 4
    assert repr(results) == "<Results small: pinned, fixed on 2 seeds from 7 to 8, 2 of 4 verdicts failed>"
    assert results._repr_html_().count("<li>fixed, seed ") == 2
    assert "expected &gt;= 5: failed</li>" in results._repr_html_()


def test_a_scenario_may_be_given_by_its_path_and_variants_by_name(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)

    results = run_all(tmp_path / "small.yaml", ["fixed"], seeds=[3])

    assert repr(results) == "<Results small: fixed on seed 3, 0 of 0 verdicts failed>"


def test_a_policy_of_ones_own_is_compared_with_the_others_on_the_same_requests() -> None:
    results = run_all(FILE, seeds=[7], policies={"last": lambda replicas: replicas[-1]})

    assert [one.variant for one in results.runs] == ["pinned", "fixed", "last"]
    assert results["last", 7].requests["replica"].unique().tolist() == ["thor#0"]
    assert results["last", 7].requests["arrival_s"].tolist() == results["fixed", 7].requests["arrival_s"].tolist()


def test_processes_and_a_given_executor_change_nothing(results: Results) -> None:
    with ThreadPoolExecutor(2) as executor:
        assert run_all(FILE, seeds=(7, 8), executor=executor).runs == results.runs
        assert executor.submit(len, "still at work").result() == 13
    assert run_all(FILE, seeds=(7, 8), jobs=2).runs == results.runs


def test_the_greatest_seed_keeps_its_digits() -> None:
    [seed] = run_all(FILE, ["fixed"], [2**64 - 1]).metrics["seed"].unique()

    assert int(seed) == 2**64 - 1


def test_an_unknown_variant_is_refused_before_anything_runs() -> None:
    with pytest.raises(NoSuchVariant, match=r"no variant 'fixd'; allowed: pinned, fixed; did you mean 'fixed'\?"):
        run_all(FILE, ["pinned", "fixd"])


@pytest.mark.parametrize(("variants", "seeds"), [([], [1]), (None, [])], ids=["no variant", "no seed"])
def test_nothing_to_run_is_refused(variants: list[str] | None, seeds: list[int]) -> None:
    with pytest.raises(ValueError, match="run_all needs at least one variant and one seed"):
        run_all(FILE, variants, seeds)
