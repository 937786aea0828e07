"""What a decision was made by, as its figures tell it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.measure.story.decision import Decision, Figure, Rank, Rule, Seen
from sim.measure.story.decision_words import decision_in_words
from sim.routing.policies.best_replica import pick_best_replica


def seen(*figures: tuple[int, int, int]) -> tuple[Seen, ...]:
    """Return replicas a, b, c, ... with these requests in flight, last uses and free VRAM."""
    return tuple(Seen(name, name, *one) for name, one in zip("abcdef", figures, strict=False))


RULES = {
    "the only one": ([(3, 5, 7)], 0, Rule.ONLY_ONE),
    "fewest in flight, whatever else": ([(1, 9, 1), (2, 1, 9)], 0, Rule.IN_FLIGHT),
    "of those with as few, the least recently used": ([(1, 9, 9), (1, 5, 1), (2, 1, 9)], 1, Rule.LAST_USED),
    "of those as long unused, the most free VRAM": ([(0, 0, 5), (0, 0, 9), (1, 0, 99)], 1, Rule.FREE_VRAM),
    "of equals, the first": ([(1, 0, 9), (0, 4, 9), (0, 4, 9)], 1, Rule.FIRST),
    "not the first of equals: for another reason": ([(0, 4, 9), (0, 4, 9)], 1, Rule.OWN),
    "not the best at all: for another reason": ([(0, 4, 9), (1, 4, 9)], 1, Rule.OWN),
    "none": ([(0, 4, 9)], None, Rule.NONE),
}


@pytest.mark.parametrize(("figures", "taken", "rule"), RULES.values(), ids=RULES)
def test_the_tie_break_of_best_replica_is_told(
    figures: list[tuple[int, int, int]], taken: int | None, rule: Rule
) -> None:
    assert Decision("best_replica", seen(*figures), taken).rule is rule


def test_another_order_has_other_tie_breaks() -> None:
    recently_used_but_roomy = seen((0, 1, 5), (0, 9, 9))

    assert Decision("in_flight_then_vram", recently_used_but_roomy, 1).rule is Rule.FREE_VRAM


@pytest.mark.parametrize(("taken", "rule"), [(0, Rule.TIES), (1, Rule.TIES), (2, Rule.OWN)])
def test_of_equals_another_rule_for_ties_than_the_first_is_not_told_as_the_first(taken: int, rule: Rule) -> None:
    two_equals = seen((0, 4, 9), (0, 4, 9), (1, 4, 9))

    assert Decision("best_replica", two_equals, taken, "random").rule is rule


def test_a_policy_of_which_nothing_is_known_is_told_by_its_ranks() -> None:
    decision = Decision("./mine.py:pick", seen((0, 4, 9), (1, 4, 8), (1, 3, 9)), 1)

    assert decision.rule is Rule.OWN
    assert decision_in_words(decision) == (
        "./mine.py:pick takes b by its own rule; "
        "it ranks 2nd= in requests in flight, 2nd= in last use, 3rd in free VRAM"
    )


def test_a_built_in_policy_tells_its_rule() -> None:
    words = decision_in_words(Decision("least_in_flight", seen((0, 4, 9), (0, 4, 8)), 1))

    assert words.startswith("least_in_flight takes b by its own rule (takes one of the least loaded replicas); it ")


def test_ranks_count_the_better_ones_and_mark_equals() -> None:
    decision = Decision("any", seen((0, 4, 9), (2, 4, 8), (2, 3, 9)), 0)

    assert [decision.rank(place, Figure.IN_FLIGHT) for place in range(3)] == [Rank(1, 0), Rank(2, 1), Rank(2, 1)]
    assert [decision.rank(place, Figure.LAST_USED) for place in range(3)] == [Rank(2, 1), Rank(2, 1), Rank(1, 0)]
    assert [decision.rank(place, Figure.FREE_VRAM) for place in range(3)] == [Rank(1, 1), Rank(3, 0), Rank(1, 1)]


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=6))
def test_whatever_best_replica_takes_is_explained(figures: list[tuple[int, int, int]]) -> None:
    rows = seen(*figures)
    best = pick_best_replica(rows)
    assert best is not None

    assert Decision("best_replica", rows, rows.index(best)).rule not in (Rule.OWN, Rule.NONE)
