"""The scenarios that are worked out by hand: all their figures come out as on paper, and nothing in them is drawn."""

import pytest

from sim import judge, run
from tests.scenarios.shipped import FOLDER, results, scenario_file

NAMES = [str(path.relative_to(FOLDER).with_suffix("")) for path in sorted((FOLDER / "by_hand").rglob("*.yaml"))]

by_name = pytest.mark.parametrize("name", NAMES)


@by_name
def test_every_figure_is_the_one_on_paper(name: str) -> None:
    verdicts = judge(scenario_file(name).expect, results(name))

    assert [str(verdict) for verdict in verdicts if not verdict.passed] == []


@by_name
def test_nothing_is_drawn_so_every_seed_gives_the_same_run(name: str) -> None:
    variant, result = next(iter(results(name).items()))

    assert run(scenario_file(name), variant, result.seed + 1).digest == result.digest


@by_name
def test_an_expectation_leaves_no_room_for_another_figure(name: str) -> None:
    for expectation in scenario_file(name).expect:
        least, most = (expectation.min, expectation.max) if expectation.equals is None else [expectation.equals] * 2
        assert least is not None, expectation
        assert most is not None, expectation
        assert most - least < 0.001, expectation
