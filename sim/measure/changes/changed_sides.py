"""Expectations that two sets of runs see otherwise: they held in one, and not, or not as often, in the other."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sim.measure.expectations import Verdict


class ChangedSide(NamedTuple):
    """An expectation of one variant that changed sides somewhere."""

    metric: str
    bound: str
    base_held: int
    new_held: int
    judged: int
    """How many verdicts there are on each side: one a seed, or one on all seeds together."""
    shows_bug: bool
    """To hold is to show a known bug."""

    @property
    def is_worse(self) -> bool:
        """Whether it holds less often than before, and should hold."""
        return self.new_held < self.base_held and not self.shows_bug

    @property
    def is_better(self) -> bool:
        """Whether it holds more often than before, and should hold."""
        return self.new_held > self.base_held and not self.shows_bug


def changed_sides(base: Sequence[Sequence[Verdict]], new: Sequence[Sequence[Verdict]]) -> Iterator[ChangedSide]:
    """Yield the expectations that one of the runs sees otherwise; the runs of both sides have the same order."""
    ours, theirs = list(map(_answers, base)), list(map(_answers, new))
    for expectation in dict.fromkeys(key for of_run in ours for key in of_run):
        both = [
            (one[expectation], other[expectation])
            for one, other in zip(ours, theirs, strict=True)
            if expectation in one and expectation in other
        ]
        if any(one is not other for one, other in both):
            metric, bound, _, shows_bug = expectation
            base_held, new_held = (sum(answer is True for answer in answers) for answers in zip(*both, strict=True))
            yield ChangedSide(metric, bound, base_held, new_held, len(both), shows_bug)


def joint_sides(
    base: Mapping[str, Sequence[Verdict]], new: Mapping[str, Sequence[Verdict]]
) -> dict[tuple[str, str], list[ChangedSide]]:
    """Return, by scenario and variant, the expectations on several seeds together that changed sides."""
    sides: dict[tuple[str, str], list[ChangedSide]] = {}
    for scenario in filter(new.__contains__, base):
        for variant in dict.fromkeys(one.variant for one in base[scenario]):
            ours, theirs = ([one for one in side[scenario] if one.variant == variant] for side in (base, new))
            sides[scenario, variant] = list(changed_sides([ours], [theirs]))
    return sides


def _answers(verdicts: Iterable[Verdict]) -> dict[tuple[str, str, int, bool], bool | None]:
    """Return the answers by metric, bound, number (as windows are not told) and whether it shows a bug.

    What another variant had is no part of a bound: `< pinned (3.2)` is `< pinned`.
    """
    seen: Counter[tuple[str, str]] = Counter()
    answers = {}
    for verdict in verdicts:
        metric, bound = verdict.metric, re.sub(r" \([^)]*\)", "", verdict.bound)
        answers[metric, bound, seen[metric, bound], verdict.shows_bug] = verdict.passed
        seen[metric, bound] += 1
    return answers
