"""`sim mutants`: what it prints, what its exit code says, and what it refuses."""

import json
from pathlib import Path

import pytest

from tests.cli.command import sim

PICKS = Path(__file__).resolve().parents[2] / "scenarios" / "by_hand" / "choice" / "picks.yaml"


@pytest.fixture
def picks(tmp_path: Path) -> Path:
    """A folder with one scenario, which notices whatever is wrong with the order of picks."""
    (tmp_path / "picks.yaml").write_text(PICKS.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_a_killed_mutant_is_told_with_the_expectation_that_noticed_it(picks: Path) -> None:
    result = sim("mutants", "busiest_first", "--corpus", picks, "--seeds", "2", "-j", "1")

    assert result.returncode == 0
    first, *_, last = result.stdout.splitlines()
    assert first.startswith("killed    busiest_first: picks_by_hand, default: replicas.")
    assert first.endswith("2 of 2 seeds")
    assert last == "1 of 1 mutants are killed"


def test_a_survivor_is_told_with_what_is_wrong_in_it_and_fails(picks: Path) -> None:
    result = sim("mutants", "node_never_comes_back", "--corpus", picks, "--seeds", "1", "-j", "1")

    assert result.returncode == 1
    assert result.stdout.startswith("survived  node_never_comes_back: A node that was taken offline stays so")


def test_the_document_has_a_row_for_each_mutant(picks: Path) -> None:
    names = ("busiest_first", "node_never_comes_back")
    document = json.loads(sim("mutants", *names, "--corpus", picks, "--seeds", "1", "-j", "1", "--json").stdout)

    assert [row["mutant"] for row in document["rows"]] == [*names]
    assert document["rows"][0]["killed_by"].startswith("picks_by_hand, default")
    assert document["rows"][1]["killed_by"] is None


def test_the_page_has_the_mutants_and_if_all_were_tried_the_scenarios(picks: Path) -> None:
    page = picks / "mutants.md"
    sim("mutants", "busiest_first", "--corpus", picks, "--seeds", "1", "-j", "1", "--all", "--markdown", page)

    text = page.read_text(encoding="utf-8")
    assert "| busiest_first | The replica with the most requests in flight is picked: `max` for `min`. |" in text
    assert "| picks_by_hand | 1 |" in text


def test_a_scenario_that_kills_nothing_is_told_where_all_were_tried(picks: Path) -> None:
    result = sim("mutants", "node_never_comes_back", "--corpus", picks, "--seeds", "1", "-j", "1", "--all")

    assert result.stderr == "no mutant is killed by picks_by_hand\n"


def test_an_unknown_mutant_is_refused_with_the_nearest_name(picks: Path) -> None:
    result = sim("mutants", "busiest_frist", "--corpus", picks)

    assert result.returncode == 2
    assert result.stderr == "'busiest_frist' is no mutant; did you mean 'busiest_first'?\n"


@pytest.mark.parametrize(("corpus", "refusal"), [("nowhere", "is not a folder"), ("empty", "holds no scenario files")])
def test_a_corpus_without_scenarios_is_refused(tmp_path: Path, corpus: str, refusal: str) -> None:
    (tmp_path / "empty").mkdir()
    result = sim("mutants", "--corpus", tmp_path / corpus)

    assert result.returncode == 2
    assert refusal in result.stderr
