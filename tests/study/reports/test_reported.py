"""What folders of results tell, put together for a report."""

from dataclasses import replace
from pathlib import Path

import pytest

from sim.measure.expectations import OverSeeds
from sim.measure.saved.result_folder import ResultFolder, read_result_folder
from sim.measure.window import Window
from sim.report.marks import UNICODE
from sim.report.sentences import judged_lines
from sim.study.reports.reported import reported, table_of
from tests.cli.command import SMALL, sim

EXPECT = """
expect:
  - {variant: fixed, metric: requests.completed, min: 4, after: 1s, before: 1m}
  - {variant: pinned, metric: latency.max_s, max: 100, over: 2 seeds}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("reported")
    (home / "small.yaml").write_text(SMALL + EXPECT)
    assert sim("run", "small.yaml", "--reps", "2", "--out", "runs", folder=home).returncode == 0
    return home


@pytest.fixture(scope="module")
def runs(home: Path) -> ResultFolder:
    return read_result_folder(home / "runs")


def test_a_saved_verdict_keeps_its_window(runs: ResultFolder) -> None:
    [verdict] = next(one.run.verdicts for one in runs.runs if one.run.variant == "fixed")

    assert verdict.window == Window.between("1s", "1m")


def test_a_saved_verdict_on_several_seeds_keeps_its_interval_and_its_worst_seed(runs: ResultFolder) -> None:
    [verdict] = runs.joint["small"]

    assert isinstance(verdict.over, OverSeeds)
    assert (verdict.over.seeds, verdict.over.held, verdict.over.confidence) == (2, 2, 0.95)
    assert verdict.over.worst_seed in (3, 4)
    assert verdict.over.interval is not None
    assert verdict.over.interval.mean == verdict.value
    assert verdict.over.interval.low < verdict.over.interval.mean < verdict.over.interval.high


def test_the_sentences_are_those_of_the_terminal(home: Path, runs: ResultFolder) -> None:
    told = sim("run", "small.yaml", "--reps", "2", folder=home, COLUMNS="200").stdout

    [scenario] = reported([runs])
    lines = [line for _, lines in judged_lines(table_of(scenario).columns, UNICODE) for line in lines]

    assert len(lines) == 2
    assert all(line in told.splitlines() for line in lines)


def test_variants_stand_in_the_order_of_their_file(runs: ResultFolder) -> None:
    [scenario] = reported([runs])

    assert [column.variant for column in table_of(scenario).columns] == ["pinned", "fixed"]


def test_the_same_runs_of_two_folders_go_by_their_folders(runs: ResultFolder) -> None:
    [scenario] = reported([runs, replace(runs, path=Path("mine"))])

    variants = [column.variant for column in table_of(scenario).columns]
    assert variants == [f"pinned ({runs.path})", f"fixed ({runs.path})", "pinned (mine)", "fixed (mine)"]


def test_one_seed_is_looked_at_the_first_that_most_variants_have(runs: ResultFolder) -> None:
    [whole] = reported([runs])
    [part] = reported(
        [replace(runs, runs=tuple(one for one in runs.runs if (one.run.variant, one.run.seed) != ("fixed", 3)))]
    )

    assert [(one.run.variant, one.run.seed) for one in whole.looked_at] == [("pinned", 3), ("fixed", 3)]
    assert [(one.run.variant, one.run.seed) for one in part.looked_at] == [("pinned", 4), ("fixed", 4)]


def test_a_single_run_can_be_reported(runs: ResultFolder) -> None:
    [scenario] = reported([read_result_folder(runs.runs[0].folder)])

    assert [(one.run.variant, one.run.seed) for one in scenario.runs] == [("fixed", 3)]
