"""The scenarios that are worked out by hand: all their figures come out as on paper, and nothing in them is drawn."""

from functools import cache
from pathlib import Path

import pytest

from sim import RunResult, judge, load, run

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "by_hand"
FILES = sorted(FOLDER.glob("*.yaml"))


@cache
def results(path: Path) -> dict[str, RunResult]:
    file = load(path)
    return {variant: run(file, variant) for variant in file.variants}


by_name = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@by_name
def test_every_figure_is_the_one_on_paper(path: Path) -> None:
    verdicts = judge(load(path).expect, results(path))

    assert [str(verdict) for verdict in verdicts if not verdict.passed] == []


@by_name
def test_nothing_is_drawn_so_every_seed_gives_the_same_run(path: Path) -> None:
    variant, result = next(iter(results(path).items()))

    assert run(path, variant, result.seed + 1).digest == result.digest


@by_name
def test_an_expectation_leaves_no_room_for_another_figure(path: Path) -> None:
    for expectation in load(path).expect:
        least, most = (expectation.min, expectation.max) if expectation.equals is None else [expectation.equals] * 2
        assert least is not None, expectation
        assert most is not None, expectation
        assert most - least < 0.001, expectation
