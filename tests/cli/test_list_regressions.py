"""`sim list --regressions`: which ways to break the balance are known."""

import json
from pathlib import Path

import pytest

from tests.cli.command import SMALL, sim, sim_process
from tests.regressions.corpora import small_corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL)
    return small_corpus(tmp_path)


def test_each_regression_is_shown_with_symptom_metric_cause_and_source(corpus: Path) -> None:
    done = sim("list", "--regressions", ".", folder=corpus)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "one_node_takes_all",
        "  One node takes all requests.",
        "  shown by fairness.busiest_share, decided by the policy; LocalAI pull request 9968",
        "probes_each_request",
        "  Each request waits for a probe.",
        "  shown by probes.sent, decided by the probes; LocalAI pull request 9968",
    ]


def test_as_json_each_regression_is_an_entry(corpus: Path) -> None:
    [first, second] = json.loads(sim("list", "--regressions", ".", "--json", folder=corpus).stdout)

    assert first == {
        "file": "one_node_takes_all.yaml",
        "name": "one_node_takes_all",
        "symptom": "One node takes all requests.",
        "metric": "fairness.busiest_share",
        "decided_by": "policy",
        "source": "LocalAI pull request 9968",
        "broken": "sticky",
        "repaired": "routed",
        "check_in": "routed",
        "family_limit": False,
    }
    assert (second["name"], second["check_in"]) == ("probes_each_request", None)


def test_a_folder_without_regressions_gives_exit_code_5(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)

    done = sim("list", "--regressions", ".", folder=tmp_path)

    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == ". holds no scenario file with a regression block\n"


def test_a_broken_file_is_told_with_its_place(corpus: Path) -> None:
    text = (corpus / "one_node_takes_all.yaml").read_text()
    (corpus / "one_node_takes_all.yaml").write_text(text.replace("repaired: routed", "repaired: rooted"))

    done = sim("list", "--regressions", ".", folder=corpus)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("one_node_takes_all.yaml:25:13: regression.repaired: 'rooted' is not a variant")


def test_without_a_folder_the_shipped_ones_are_listed_wherever_one_is(tmp_path: Path) -> None:
    done = sim_process("list", "--regressions", "--json", folder=tmp_path)

    known = json.loads(done.stdout)
    assert "sticky_replica" in [one["name"] for one in known]
    assert all(Path(one["file"]).is_file() for one in known)
