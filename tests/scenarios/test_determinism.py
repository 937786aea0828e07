"""A run is a function of its scenario and seed: the same digest always, another one for another seed."""

import os
import subprocess
import sys

import pytest

from sim import judge, load, run
from tests.forms import mostly_short
from tests.golden import digests_of, written_down
from tests.scenarios.refresh_digests import GOLDEN
from tests.scenarios.shipped import DRAWN, EVERY, FOLDER, TRACE, results, scenario_file, sentences

LONGEST = ("loader_check", "rotating_cache", "ttl_sawtooth")
"""The scenarios that take as long as all others."""

PRINT_DIGEST = "import sys; from sim import load, run; print(run(load(sys.argv[1]), 'fixed').digest)"


@pytest.mark.parametrize("name", EVERY)
def test_a_shipped_scenario_runs_as_it_did_when_its_digests_were_written_down(name: str) -> None:
    digests = digests_of(results(name))

    assert digests == written_down(GOLDEN)[name], "if this is meant: python -m tests.scenarios.refresh_digests"


# The short form of the same for the trace: the router that takes the least time.
@pytest.mark.parametrize("variant", mostly_short(("pinned", "fixed"), long=("fixed",)))
def test_the_trace_runs_as_it_did_when_its_digests_were_written_down(variant: str) -> None:
    result = run(scenario_file(TRACE), variant)

    assert result.digest == written_down(GOLDEN)[TRACE][variant]


@pytest.mark.parametrize("name", EVERY)
def test_a_second_run_in_the_same_process_has_the_same_digest(name: str) -> None:
    again = run(load(FOLDER / f"{name}.yaml"), "fixed")

    assert again.digest == results(name)["fixed"].digest


@pytest.mark.parametrize("name", DRAWN)
def test_another_seed_has_another_digest(name: str) -> None:
    one, other = results(name)["fixed"], results(name, seed=2)["fixed"]

    assert one.seed != other.seed
    assert one.digest != other.digest


@pytest.mark.parametrize(("name", "hash_seed"), [("cache_pinning", "0"), ("node_crash", "1")])
def test_the_digest_is_the_same_in_a_process_with_another_hash_seed(name: str, hash_seed: str) -> None:
    assert digest_in_a_process_of_its_own(name, hash_seed) == results(name)["fixed"].digest


@pytest.mark.parametrize("name", mostly_short(EVERY, LONGEST))
def test_the_order_of_simultaneous_events_changes_no_verdict(name: str) -> None:
    runs = results(name, "tie_order=shuffle")

    broken = [
        sentence
        for sentence, expectation in sentences(scenario_file(name))
        if not all(verdict.passed for verdict in judge((expectation,), runs))
    ]

    assert broken == []


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("seed", mostly_short((2, 3, 4), long=(3, 4)))
def test_another_seed_changes_no_verdict(name: str, seed: int) -> None:
    runs = results(name, seed=seed)

    verdicts = judge(scenario_file(name).expect, runs)

    assert [verdict for verdict in verdicts if not verdict.passed] == []


def digest_in_a_process_of_its_own(name: str, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", PRINT_DIGEST, str(FOLDER / f"{name}.yaml")]
    return subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout.strip()
