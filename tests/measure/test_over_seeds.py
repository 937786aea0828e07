"""Verdicts on several seeds: the mean with its interval, the paired difference, laws, and what a reader is told."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.measure.expectations import Verdict, check
from sim.measure.judged_run import JudgedRun
from sim.measure.over_seeds import joint_verdicts, summed_up, verdicts_of_variants
from sim.scenario import Expectation


def expect(**keys: Any) -> Expectation:
    return Expectation.model_validate({"metric": "fairness.jain", "variant": "fixed", **keys})


def on_seeds(expectation: Expectation, fixed: list[float], pinned: list[float] | None = None) -> list[Verdict]:
    """Return the verdict of each seed, from 1 on, as runs with these figures have them."""
    verdicts = []
    for seed, value in enumerate(fixed, 1):
        metrics = {"fixed": {"fairness.jain": value}}
        if pinned is not None:
            metrics["pinned"] = {"fairness.jain": pinned[seed - 1]}
        [verdict] = check(expectation, metrics)
        verdicts.append(replace(verdict, seed=seed, command=f"sim run x.yaml --seed {seed}"))
    return verdicts


# The mean of 0.90, 0.92 and 0.94 is 0.92, and half its 95 % interval 0.0497 (Student's t with 2 degrees of freedom).
VALUES = [0.90, 0.92, 0.94]
MEANS = {
    "the whole interval is above the least": ({"min": 0.87}, True, ""),
    "the interval is on both sides of the least": ({"min": 0.88}, False, "unclear"),
    "the whole interval is under the least": ({"min": 0.98}, False, ""),
    "the whole interval is under the most": ({"max": 0.97}, True, ""),
    "the interval is on both sides of the most": ({"max": 0.96}, False, "unclear"),
    "the whole interval is between least and most": ({"min": 0.87, "max": 0.97}, True, ""),
    "less confidence makes it narrower": ({"min": 0.88, "confidence": 0.8}, True, ""),
}


@pytest.mark.parametrize("case", MEANS)
def test_a_mean_holds_if_its_whole_interval_keeps_the_bound(case: str) -> None:
    keys, passed, reason = MEANS[case]

    verdict = summed_up(on_seeds(expect(over="3 seeds", **keys), VALUES))

    assert verdict.passed is passed
    assert verdict.reason.partition(":")[0] == reason
    assert verdict.value == pytest.approx(0.92)


def test_variants_are_compared_by_the_difference_on_the_same_seeds() -> None:
    """The seeds differ by far more than the variants do, which only pairs can tell."""
    pinned = [0.5, 0.6, 0.7, 0.8]
    fixed = [value + 0.01 + 0.001 * number for number, value in enumerate(pinned)]

    verdict = summed_up(on_seeds(expect(over="4 seeds", above="pinned"), fixed, pinned))

    assert verdict.passed is True
    assert verdict.value == pytest.approx(0.0115)
    assert verdict.bound == "> 0 (difference to pinned)"
    assert summed_up(on_seeds(expect(over="4 seeds", below="pinned"), fixed, pinned)).passed is False


def test_equal_variants_are_neither_above_nor_below_each_other() -> None:
    for bound in ({"above": "pinned"}, {"below": "pinned"}):
        assert summed_up(on_seeds(expect(over="3 seeds", **bound), VALUES, VALUES)).passed is False


def test_a_law_has_to_hold_on_every_seed() -> None:
    law = expect(over="3 seeds", for_every_seed=True, min=0.92)

    verdict = summed_up(on_seeds(law, VALUES))

    assert (verdict.passed, verdict.value) == (False, 0.90)
    assert verdict.over is not None
    assert (verdict.over.seeds, verdict.over.held, verdict.over.worst_seed) == (3, 2, 1)
    assert summed_up(on_seeds(law, [0.92, 0.93, 0.94])).passed is True


def test_a_law_without_a_number_is_judged_on_whatever_was_run() -> None:
    law = expect(for_every_seed=True, min=0.91)

    on_one, on_all = summed_up(on_seeds(law, VALUES[1:2])), summed_up(on_seeds(law, VALUES))

    assert (on_one.passed, on_one.seed, on_one.over) == (True, 1, None)
    assert (on_all.passed, on_all.seed, on_all.over and on_all.over.seeds) == (False, None, 3)


def test_a_failure_says_how_sure_on_how_many_seeds_which_is_the_worst_and_how_to_run_it_again() -> None:
    verdict = summed_up(on_seeds(expect(over="3 seeds", min=0.91, after="60s"), [0.94, 0.90, 0.92]))

    assert str(verdict) == (
        "fixed: fairness.jain after 1m is 0.92 (95 % interval 0.870317 to 0.969683), expected >= 0.91: failed; "
        "unclear: the interval is on both sides of the bound; "
        "held on 2 of 3 seeds, worst 0.9 on seed 2: sim run x.yaml --seed 2"
    )


def test_the_worst_seed_of_a_comparison_is_that_of_the_worst_difference() -> None:
    verdict = summed_up(on_seeds(expect(over="3 seeds", above="pinned"), [0.7, 0.9, 0.8], [0.6, 0.95, 0.2]))

    assert verdict.over is not None
    assert str(verdict.over) == "held on 2 of 3 seeds, worst -0.05 on seed 2"
    assert verdict.command == "sim run x.yaml --seed 2"


def test_an_absent_figure_is_no_figure_and_the_seed_is_named() -> None:
    verdicts = on_seeds(expect(over="3 seeds", min=0.1), VALUES)
    [verdicts[1]] = check(expect(over="3 seeds", min=0.1), {"fixed": {}})

    assert (summed_up(verdicts).passed, summed_up(verdicts).value) == (False, None)


@pytest.mark.parametrize("keys", [{"min": 0.1}, {"min": 0.1, "for_every_seed": True}], ids=["mean", "law"])
def test_on_fewer_seeds_than_it_says_it_is_not_judged(keys: dict[str, Any]) -> None:
    verdict = summed_up(on_seeds(expect(over="20 seeds", **keys), VALUES))

    assert verdict.passed is None
    assert verdict.reason == "judged on 20 seeds, and 3 were run"


def test_a_law_that_is_broken_is_broken_on_however_few_seeds() -> None:
    assert summed_up(on_seeds(expect(over="20 seeds", min=0.95, for_every_seed=True), VALUES)).passed is False


def test_a_comparison_with_a_variant_that_was_not_run_is_not_judged() -> None:
    assert summed_up(on_seeds(expect(over="3 seeds", above="pinned"), VALUES)).passed is None


def test_what_is_expected_of_each_run_is_summed_up_and_what_is_expected_of_all_stands_apart() -> None:
    each, joint = expect(min=0.91), expect(min=0.8, over="3 seeds")
    runs = [
        JudgedRun("fixed", seed, "", {}, (of_each, of_all))
        for seed, of_each, of_all in zip((1, 2, 3), on_seeds(each, VALUES), on_seeds(joint, VALUES), strict=True)
    ]

    assert [verdict.passed for verdict in verdicts_of_variants(runs)] == [False, True]
    assert [verdict.bound for verdict in joint_verdicts(runs)] == [">= 0.8"]
    assert [run.verdicts[1].counts for run in runs] == [False] * 3


def test_a_variant_whose_true_mean_is_at_the_bound_passes_in_few_cases() -> None:
    """At 90 % confidence in 5 % of all cases, so in 5 to 38 of 400, which one true rule in 10,000 would miss.

    A rule that looks at the mean alone would pass half of them.
    """
    samples = np.random.default_rng().normal(0.9, 0.02, size=(400, 10))

    passed = [
        summed_up(on_seeds(expect(over="10 seeds", min=0.9, confidence=0.9), sample.tolist())).passed
        for sample in samples
    ]

    assert 5 <= passed.count(True) <= 38
    assert np.count_nonzero(samples.mean(axis=1) >= 0.9) > 38


def test_what_it_is_about_need_not_happen_on_every_seed_but_on_one() -> None:
    law = expect(over="3 seeds", for_every_seed=True, min=0.1)
    idle = [replace(verdict, passed=False, reason="no request arrived") for verdict in on_seeds(law, VALUES)]
    busy = on_seeds(law, VALUES)

    assert summed_up([idle[0], *busy[1:]]).passed is True
    assert (summed_up(idle).passed, summed_up(idle).reason) == (False, "no request arrived")


def test_a_mean_of_what_never_happened_says_nothing() -> None:
    verdicts = on_seeds(expect(over="3 seeds", min=0.1), VALUES)
    idle = [replace(verdict, passed=False, reason="no request arrived") for verdict in verdicts]

    assert (summed_up(idle).passed, summed_up(idle).reason) == (False, "no request arrived")
