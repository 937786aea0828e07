"""Expectations that two sets of runs see otherwise."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sim.measure.changes.changed_sides import ChangedSide, changed_sides, joint_sides
from sim.measure.expectations import Verdict


def verdict(passed: bool | None, bound: str = ">= 0.95", metric: str = "fairness.jain") -> Verdict:
    return Verdict(metric, "fixed", 0.9, bound, passed)


def test_an_expectation_that_holds_on_fewer_seeds_has_changed_sides_for_the_worse() -> None:
    base = [[verdict(True)], [verdict(True)], [verdict(False)]]
    new = [[verdict(True)], [verdict(False)], [verdict(False)]]

    [side] = changed_sides(base, new)

    assert side == ChangedSide("fairness.jain", ">= 0.95", 2, 1, 3, shows_bug=False)
    assert side.is_worse


def test_an_expectation_that_holds_on_other_seeds_has_changed_sides_even_if_on_as_many() -> None:
    [side] = changed_sides([[verdict(True)], [verdict(False)]], [[verdict(False)], [verdict(True)]])

    assert (side.base_held, side.new_held, side.is_worse) == (1, 1, False)


def test_what_holds_as_before_is_not_told() -> None:
    assert (
        list(changed_sides([[verdict(True), verdict(False, "<= 1")]], [[verdict(True), verdict(False, "<= 1")]])) == []
    )


def test_a_known_bug_that_no_longer_shows_is_no_change_for_the_worse() -> None:
    base, new = replace(verdict(True), shows_bug=True), replace(verdict(False), shows_bug=True)

    [side] = changed_sides([[base]], [[new]])

    assert (side.shows_bug, side.is_worse, side.is_better) == (True, False, False)


def test_the_figure_of_the_other_variant_is_no_part_of_an_expectation() -> None:
    [side] = changed_sides([[verdict(True, "< pinned (3.2)")]], [[verdict(False, "< pinned (2.9)")]])

    assert side.bound == "< pinned"


@pytest.mark.parametrize("answers", [(True, False), (False, True)])
def test_expectations_that_differ_in_their_window_alone_are_told_apart_by_their_order(answers: Sequence[bool]) -> None:
    [side] = changed_sides([[verdict(True), verdict(True)]], [[verdict(answer) for answer in answers]])

    assert (side.base_held, side.new_held, side.judged) == (1, 0, 1)


def test_an_expectation_that_only_one_side_has_cannot_change_sides() -> None:
    assert list(changed_sides([[verdict(True)]], [[verdict(False, "<= 1")]])) == []


def test_expectations_on_several_seeds_together_are_compared_scenario_by_scenario() -> None:
    base, new = {"a": [verdict(True)], "b": [verdict(True)]}, {"a": [verdict(False)], "c": [verdict(False)]}

    assert joint_sides(base, new) == {
        ("a", "fixed"): [ChangedSide("fairness.jain", ">= 0.95", 1, 0, 1, shows_bug=False)]
    }
