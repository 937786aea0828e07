"""The choice between a hot replica and a less loaded one, against LocalAI's vectors."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.policies.prefix.choice import Candidate, Choice, Thresholds, select
from sim.routing.policies.prefix.index import Match
from sim.routing.replica import ReplicaKey

A, B, C = (ReplicaKey(node, "m", 0) for node in "abc")
A1, B1 = (ReplicaKey(node, "m", 1) for node in "ab")


def loads(*figures: tuple[ReplicaKey, int]) -> list[Candidate]:
    return [Candidate(replica, in_flight) for replica, in_flight in figures]


KEPT, FORCED = False, True

# id: (candidates, hot match, cold order, expected choice); LocalAI's own.
VECTORS: dict[str, tuple[list[Candidate], Match | None, list[ReplicaKey], Choice | None]] = {
    "S1 hot and within the limits": (loads((A, 1), (B, 0)), Match(A, 0.5), [], Choice(A, KEPT)),
    "S2 hot and too busy": (loads((A, 5), (B, 0)), Match(A, 0.9), [B, A], Choice(B, FORCED)),
    "S3 too little of a match": (loads((A, 0), (B, 0)), Match(A, 0.2), [B, A], Choice(B, KEPT)),
    "S4 the first of the cold order that is not too busy": (
        loads((A, 0), (B, 0), (C, 9)),
        None,
        [C, B, A],
        Choice(B, KEPT),
    ),
    "S5 none of none": ([], None, [], None),
    "S6 nobody named: by node, then by replica": (loads((B1, 0), (B, 0), (A, 0)), None, [], Choice(A, KEPT)),
    "S7 the other replica of the node": (loads((A, 50), (A1, 0)), Match(A, 1.0), [], Choice(A1, FORCED)),
    "S8 the hot replica of the node": (loads((A, 1), (A1, 0)), Match(A, 1.0), [], Choice(A, KEPT)),
}

# The same, beyond the published ones.
MORE_VECTORS: dict[str, tuple[list[Candidate], Match | None, list[ReplicaKey], Choice | None]] = {
    "none of none, whoever is named": ([], Match(A, 1.0), [A], None),
    "a match of exactly the least share": (loads((A, 1), (B, 0)), Match(A, 0.3), [B, A], Choice(A, KEPT)),
    "a match of three blocks in ten": (loads((A, 1), (B, 0)), Match(A, 3 / 10), [B, A], Choice(A, KEPT)),
    "a match of 19 blocks in 64": (loads((A, 1), (B, 0)), Match(A, 19 / 64), [B, A], Choice(B, KEPT)),
    "too little of a match for a busy replica": (loads((A, 9), (B, 0)), Match(A, 0.2), [B], Choice(B, KEPT)),
    "hot before cold": (loads((A, 0), (B, 0)), Match(B, 1.0), [A, B], Choice(B, KEPT)),
    "cold before least loaded": (loads((A, 0), (B, 1)), None, [B, A], Choice(B, KEPT)),
    "cold and gone": (loads((A, 0), (B, 0)), None, [C, B, A], Choice(B, KEPT)),
    "hot and gone": (loads((A, 0), (B, 0)), Match(C, 1.0), [B, A], Choice(B, FORCED)),
    "nobody named, one node: by replica": (loads((B1, 0), (B, 0)), None, [], Choice(B, KEPT)),
    "nobody named: the least loaded": (loads((A, 1), (B1, 0), (B, 1)), None, [], Choice(B1, KEPT)),
}


@pytest.mark.parametrize(
    ("candidates", "hot", "cold", "expected"),
    [*VECTORS.values(), *MORE_VECTORS.values()],
    ids=[*VECTORS, *MORE_VECTORS],
)
def test_the_choice_is(
    candidates: list[Candidate], hot: Match | None, cold: list[ReplicaKey], expected: Choice | None
) -> None:
    choice = select(candidates, hot, cold)

    assert choice == expected


@pytest.mark.parametrize(("least", "highest"), [(0, 1), (1, 2), (2, 4), (3, 5), (4, 6), (5, 7), (100, 102)])
def test_with_the_defaults_the_highest_load_of_a_hot_replica_is(least: int, highest: int) -> None:
    kept = [
        in_flight
        for in_flight in range(least, least + 10)
        if select(loads((A, least), (B, in_flight)), Match(B, 1.0), [A, B]) == Choice(B, KEPT)
    ]

    assert kept == list(range(least, highest + 1))


# id: (thresholds, load of the least loaded, highest load of a hot replica)
LIMITS: dict[str, tuple[Thresholds, int, int]] = {
    "a larger excess leaves the factor": (Thresholds(max_excess=9), 10, 16),
    "a larger factor leaves the excess": (Thresholds(max_factor=9.0), 4, 6),
    "no excess": (Thresholds(max_excess=0), 4, 4),
    "a factor of 1 still allows 1 more": (Thresholds(max_factor=1.0), 4, 5),
}


@pytest.mark.parametrize(("thresholds", "least", "highest"), LIMITS.values(), ids=LIMITS)
def test_the_tighter_limit_holds(thresholds: Thresholds, least: int, highest: int) -> None:
    admitted = [in_flight for in_flight in range(30) if thresholds.admits(in_flight, least)]

    assert admitted == list(range(highest + 1))


@pytest.mark.parametrize(
    ("hot", "expected"), [(A, Choice(A, KEPT)), (B, Choice(A, FORCED))], ids=["hot itself", "not hot"]
)
def test_within_limits_that_nobody_meets_the_least_loaded_is_chosen(hot: ReplicaKey, expected: Choice) -> None:
    strict = Thresholds(max_factor=0.5)

    choice = select(loads((B, 8), (A, 7)), Match(hot, 1.0), [B, A], strict)

    assert choice == expected


KEYS = [A, A1, B, B1, C]
candidate_lists = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 8), min_size=1).map(
    lambda figures: loads(*figures.items())
)
hot_matches = st.none() | st.builds(Match, st.sampled_from(KEYS), st.integers(1, 10).map(lambda depth: depth / 10))
cold_orders = st.permutations(KEYS).flatmap(lambda keys: st.integers(0, len(keys)).map(lambda count: keys[:count]))


def is_within_limits(candidate: Candidate, candidates: list[Candidate]) -> bool:
    least = min(other.in_flight for other in candidates)
    return candidate.in_flight <= least + 2 and 2 * candidate.in_flight <= 3 * least + 2


@given(candidate_lists, hot_matches, cold_orders)
def test_the_choice_is_the_first_named_within_the_limits_or_the_least_loaded(
    candidates: list[Candidate], hot: Match | None, cold: list[ReplicaKey]
) -> None:
    choice = select(candidates, hot, cold)

    eligible = [candidate.replica for candidate in candidates if is_within_limits(candidate, candidates)]
    named = [hot.replica, *cold] if hot is not None and hot.ratio >= 0.3 else cold
    standing = [replica for replica in named if replica in eligible]
    idlest = sorted(candidates, key=lambda candidate: (candidate.in_flight, candidate.replica))[0]
    assert choice is not None
    assert choice.replica == [*standing, idlest.replica][0]
    assert choice.replica in eligible


@given(candidate_lists, hot_matches, cold_orders)
def test_a_disturb_is_forced_exactly_if_a_good_match_was_passed_over(
    candidates: list[Candidate], hot: Match | None, cold: list[ReplicaKey]
) -> None:
    choice = select(candidates, hot, cold)

    assert choice is not None
    assert choice.forced_disturb is (hot is not None and hot.ratio >= 0.3 and hot.replica != choice.replica)


@given(candidate_lists, hot_matches, cold_orders, st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_of_the_candidates(
    candidates: list[Candidate], hot: Match | None, cold: list[ReplicaKey], shuffler: random.Random
) -> None:
    shuffled = shuffler.sample(candidates, len(candidates))

    assert select(shuffled, hot, cold) == select(candidates, hot, cold)


@given(candidate_lists, hot_matches, cold_orders, st.integers(0, 4))
def test_a_larger_excess_never_forces_a_disturb(
    candidates: list[Candidate], hot: Match | None, cold: list[ReplicaKey], excess: int
) -> None:
    tight = select(candidates, hot, cold, Thresholds(max_excess=excess))
    loose = select(candidates, hot, cold, Thresholds(max_excess=excess + 1))

    assert tight is not None
    assert loose is not None
    assert tight.forced_disturb or not loose.forced_disturb
