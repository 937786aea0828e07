"""One run by the Python interface: `from sim import load, run`."""

from pathlib import Path

import pandas as pd
import pytest

import sim
from sim import NoSuchVariant, ScenarioFile, judge, loads, run
from tests.cli.command import SMALL

ONE_VARIANT = SMALL.partition("variants:")[0]


@pytest.fixture(scope="module")
def small() -> ScenarioFile:
    return loads(SMALL + "expect: [{variant: fixed, metric: latency.max_s, below: pinned}]\n")


def test_the_only_variant_runs_on_the_scenarios_seed_unless_told_otherwise() -> None:
    result = run(loads(ONE_VARIANT))

    assert (result.variant, result.seed) == ("default", 3)


def test_of_several_variants_one_has_to_be_named(small: ScenarioFile) -> None:
    with pytest.raises(NoSuchVariant, match="<text> has several variants; name one of them: pinned, fixed"):
        run(small)


def test_a_scenario_may_be_given_by_its_path(tmp_path: Path, small: ScenarioFile) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)

    assert run(tmp_path / "small.yaml", "fixed").digest == run(small, "fixed").digest


def test_the_same_seed_gives_the_same_run(small: ScenarioFile) -> None:
    one, other = run(small, "fixed", 7), run(small, "fixed", 7)

    assert (one.digest, one.metrics) == (other.digest, other.metrics)
    pd.testing.assert_frame_equal(one.picks, other.picks)


def test_every_variant_gets_the_same_requests(small: ScenarioFile) -> None:
    columns = ["request", "model", "frontend", "arrival_s", "demand_s"]

    pd.testing.assert_frame_equal(run(small, "pinned").requests[columns], run(small, "fixed").requests[columns])


def test_an_unknown_variant_is_refused_with_the_nearest_one(small: ScenarioFile) -> None:
    with pytest.raises(NoSuchVariant, match=r"no variant 'fixd'; allowed: pinned, fixed; did you mean 'fixed'\?"):
        run(small, "fixd")


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(small: ScenarioFile, seed: int) -> None:
    with pytest.raises(ValueError, match="a seed is a whole number from 0 to"):
        run(small, "fixed", seed)


def test_a_run_is_judged_against_the_others_of_its_seed(small: ScenarioFile) -> None:
    results = {name: run(small, name) for name in small.variants}

    [verdict] = judge(small.expect, results)

    assert (verdict.variant, verdict.value) == ("fixed", results["fixed"].metrics["latency.max_s"])
    assert verdict.passed is True


def test_the_public_names_are_all_there() -> None:
    assert [name for name in sim.__all__ if not hasattr(sim, name) or name not in dir(sim)] == []


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'sim' has no attribute 'walk'"):
        sim.walk  # noqa: B018
