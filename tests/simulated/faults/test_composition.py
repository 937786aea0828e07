"""Faults by themselves and together, with the loops on: each kind, and each pair of families at least once.

The short form tries each kind and each pair under one of the two routers in turn, the long one under both.
"""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.simulated.faults.compose import KINDS, composed, pairs_of_families

ROOT = Path(__file__).resolve().parents[3]
VARIANTS = ("fixed", "hardened")
FAULTS: list[tuple[str, ...]] = [*((kind,) for kind in KINDS), *pairs_of_families()]
UNDER_FIXED = FAULTS[::2]
"""The faults that the short form tries under `fixed`; it tries the others under `hardened`."""
CASES = [
    pytest.param(
        kinds,
        variant,
        id=f"{' and '.join(kinds)}-{variant}",
        marks=() if (variant == "fixed") == (kinds in UNDER_FIXED) else pytest.mark.long,
    )
    for kinds in FAULTS
    for variant in VARIANTS
]
REPEATED = UNDER_FIXED[::2]
PRINT_DIGESTS = """
from tests.simulated.faults.compose import composed
from tests.simulated.faults.test_composition import REPEATED
for kinds in REPEATED:
    print(composed(kinds, "fixed")[0].digest)
"""


@pytest.mark.parametrize(("kinds", "variant"), CASES)
def test_one_fault_or_two_at_once_break_nothing_that_must_always_hold(kinds: tuple[str, ...], variant: str) -> None:
    result, broken = composed_once(kinds, variant)

    assert broken == []
    assert result.metrics["requests.offered"] >= 100


# In the short form, another process repeats a quarter of the runs, and has to come to the same digests.
@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_with_a_fault_repeats_itself(kind: str) -> None:
    again, _ = composed((kind,), "hardened")

    assert again.digest == composed_once((kind,), "hardened")[0].digest


def test_runs_with_the_same_faults_have_one_digest_whatever_the_hash_seed_of_their_process() -> None:
    here = [composed_once(kinds, "fixed")[0].digest for kinds in REPEATED]

    assert digests_in_a_process_of_their_own(hash_seed="1") == here


composed_once = cache(composed)


def digests_in_a_process_of_their_own(hash_seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", PRINT_DIGESTS], cwd=ROOT, env=environment, capture_output=True, check=True, text=True
    )
    return done.stdout.split()
