"""Faults together: each pair of families at least once, with the loops on."""

import pytest

from tests.simulated.faults.compose import composed, pairs_of_families
from tests.simulated.faults.invariants import broken_invariants

PAIRS = list(pairs_of_families())


@pytest.mark.parametrize("variant", ["fixed", "hardened"])
@pytest.mark.parametrize("kinds", PAIRS, ids=" and ".join)
def test_two_faults_at_once_break_nothing_that_must_always_hold(kinds: tuple[str, str], variant: str) -> None:
    result = composed(kinds, variant)

    assert broken_invariants(result) == []
    assert result.metrics["requests.offered"] >= 100


@pytest.mark.parametrize("kinds", PAIRS[::6], ids=" and ".join)
def test_two_runs_with_the_same_faults_have_one_digest(kinds: tuple[str, str]) -> None:
    digests = {composed(kinds, "fixed").digest for _ in range(2)}

    assert len(digests) == 1
