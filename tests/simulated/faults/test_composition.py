"""Faults by themselves and together, with the loops on: each kind, and each pair of families at least once."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.simulated.faults.compose import KINDS, composed, pairs_of_families

ROOT = Path(__file__).resolve().parents[3]
PAIRS = list(pairs_of_families())
PRINT_DIGESTS = """
from tests.simulated.faults.compose import composed, pairs_of_families
for kinds in pairs_of_families():
    print(composed(kinds, "fixed")[0].digest)
"""


@pytest.mark.parametrize("variant", ["fixed", "hardened"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_by_itself_breaks_nothing_that_must_always_hold_and_repeats_itself(kind: str, variant: str) -> None:
    result, broken = composed((kind,), variant)

    assert broken == []
    assert composed((kind,), variant)[0].digest == result.digest


@pytest.mark.parametrize("variant", ["fixed", "hardened"])
@pytest.mark.parametrize("kinds", PAIRS, ids=" and ".join)
def test_two_faults_at_once_break_nothing_that_must_always_hold(kinds: tuple[str, str], variant: str) -> None:
    result, broken = composed_once(kinds, variant)

    assert broken == []
    assert result.metrics["requests.offered"] >= 100


def test_runs_with_the_same_faults_have_one_digest_whatever_the_hash_seed_of_their_process() -> None:
    here = [composed_once(kinds, "fixed")[0].digest for kinds in PAIRS]

    assert digests_in_a_process_of_their_own(hash_seed="1") == here


composed_once = cache(composed)


def digests_in_a_process_of_their_own(hash_seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", PRINT_DIGESTS], cwd=ROOT, env=environment, capture_output=True, check=True, text=True
    )
    return done.stdout.split()
