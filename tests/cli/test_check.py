"""`sim check`: a policy on every known regression, and what of it fails."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from sim.cli.process.exits import ExitCode
from tests.cli.command import sim
from tests.regressions.corpora import small_corpus

PICKERS = """
def first(replicas):
    return replicas[0]

def even(replicas):
    return min(replicas, key=lambda replica: replica.last_used_ns)

def fails(replicas):
    return replicas[7]
"""
FEW = ("--corpus", ".", "--seeds", "4", "-j", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pickers.py").write_text(PICKERS)
    return small_corpus(tmp_path)


def test_a_policy_that_shows_no_regression_passes(folder: Path) -> None:
    done = sim("check", "best_replica", *FEW, folder=folder)

    assert (done.returncode, done.stderr) == (ExitCode.HELD, "")
    assert "one_node_takes_all  fairness.busiest_share" in done.stdout
    assert "best_replica: immune to 1 of 1 known regressions\n" in done.stdout
    assert "not applicable: 1 decided by the probes\n" in done.stdout


def test_an_affected_policy_fails_with_what_it_shows_and_the_command_that_shows_it_again(folder: Path) -> None:
    done = sim("check", "./pickers.py:first", "--allow-code", *FEW, folder=folder)

    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (ExitCode.BROKEN, "")
    start = lines.index("✗ one_node_takes_all: One node takes all requests.")
    assert lines[start + 1] == ("  fairness.busiest_share is 1 on seed 1, expected <= 0.75; broken on 4 of 4 seeds")
    assert lines[start + 2].split() == [
        *("sim", "run", "one_node_takes_all.yaml", "--variant", "routed", "--seed", "1"),
        *("--set", "router.policy=./pickers.py:first", "--allow-code"),
    ]
    assert lines[start + 3] == "./pickers.py:first: affected by 1 of 1 known regressions"


def test_the_command_that_it_gives_shows_the_same(folder: Path) -> None:
    document = json.loads(sim("check", "./pickers.py:first", "--allow-code", "--json", *FEW, folder=folder).stdout)
    row = document["rows"][0]

    again = sim(*row["command"].split()[1:], folder=folder)

    assert again.returncode == ExitCode.BROKEN
    assert f"routed {row['bound'].partition(' ')[0]}: {row['worst']:g}, expected <= 0.75" in again.stdout


def test_a_policy_may_be_excused_from_a_regression(folder: Path) -> None:
    options = ("--allow-code", "--allow", "one_node_takes_all", *FEW)

    done = sim("check", "./pickers.py:first", *options, folder=folder)

    assert done.returncode == ExitCode.HELD
    assert "! one_node_takes_all" in done.stdout
    assert "1.000  excused" in done.stdout
    assert "broken on 4 of 4 seeds (allowed)" in done.stdout
    assert "affected by 1 (1 excused) of 1 known regressions" in done.stdout


@pytest.mark.parametrize(("options", "code"), [((), ExitCode.HELD), (("--strict",), ExitCode.BROKEN)])
def test_a_limit_of_a_whole_family_fails_only_if_that_is_asked_for(
    folder: Path, options: tuple[str, ...], code: ExitCode
) -> None:
    path = folder / "one_node_takes_all.yaml"
    path.write_text(path.read_text() + "  family_limit: true\n")

    done = sim("check", "./pickers.py:first", "--allow-code", *options, *FEW, folder=folder)

    assert done.returncode == code


def test_a_value_that_is_set_is_set_in_every_scenario(folder: Path) -> None:
    done = sim("check", "best_replica", "--set", "nodes.0.speed=0", *FEW, folder=folder)

    assert done.returncode == ExitCode.BAD_INPUT
    assert done.stderr.startswith("--set nodes.0.speed: found 0; ")
    assert done.stderr.count("\n") == 1


def test_the_other_seeds_are_run_if_they_are_asked_for(folder: Path) -> None:
    options = ("--allow-code", "--json", "--seed", "71", *FEW)

    document = json.loads(sim("check", "./pickers.py:first", *options, folder=folder).stdout)

    assert (document["seeds"], document["rows"][0]["worst_seed"]) == (4, 71)


def test_as_json_each_regression_is_a_row_with_its_figures(folder: Path) -> None:
    done = sim("check", "./pickers.py:first", "--allow-code", "--json", *FEW, folder=folder)

    first, second = json.loads(done.stdout)["rows"]
    assert done.returncode == ExitCode.BROKEN
    assert (first["regression"], first["verdict"], first["fails"]) == ("one_node_takes_all", "affected", True)
    assert (first["mean"], first["low"], first["high"]) == (1, 1, 1)
    assert (second["verdict"], second["reason"]) == ("not applicable", "decided by the probes")


def test_junit_has_a_test_for_each_regression(folder: Path) -> None:
    sim("check", "./pickers.py:first", "--allow-code", "--junit", "junit.xml", *FEW, folder=folder)

    root = ET.parse(folder / "junit.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("2", "1", "1")
    affected, other = root.iter("testcase")
    failure = affected.find("failure")
    assert (affected.get("classname"), affected.get("name")) == ("./pickers.py:first", "one_node_takes_all")
    assert failure is not None
    assert (failure.text or "").splitlines()[-1].startswith("sim run one_node_takes_all.yaml --variant routed --seed 1")
    assert other.find("skipped") is not None


def test_the_markdown_has_the_verdict_in_its_first_line(folder: Path) -> None:
    sim("check", "./pickers.py:first", "--allow-code", "--markdown", "report.md", *FEW, folder=folder)

    lines = (folder / "report.md").read_text().splitlines()
    assert lines[0] == "✗ **./pickers.py:first: affected by 1 of 1 known regressions**"
    assert "- not applicable, decided by the probes: probes_each_request" in lines
    assert "| ✗ one_node_takes_all | `fairness.busiest_share` | 1.000 | affected |" in lines


def test_a_policy_file_is_found_from_the_working_directory_and_run_in_every_process(folder: Path) -> None:
    corpus = folder / "corpus"
    corpus.mkdir()
    for path in folder.glob("*.yaml"):
        path.rename(corpus / path.name)
    options = ("--allow-code", "--json", "--corpus", "corpus", "--seeds", "4")

    one, two = (sim("check", "./pickers.py:first", *options, "-j", jobs, folder=folder) for jobs in "12")

    assert (one.returncode, one.stderr) == (two.returncode, two.stderr) == (ExitCode.BROKEN, "")
    assert one.stdout == two.stdout
    assert "router.policy=../pickers.py:first" in json.loads(one.stdout)["rows"][0]["command"]


def test_a_policy_that_fails_ends_the_check_with_a_line_that_names_it(folder: Path) -> None:
    done = sim("check", "./pickers.py:fails", "--allow-code", *FEW, folder=folder)

    assert (done.returncode, done.stdout) == (ExitCode.BAD_INPUT, "")
    assert "./pickers.py:fails raised IndexError" in done.stderr
    assert done.stderr.count("\n") == 1


MISTAKES = {
    "code that is not allowed": (("./pickers.py:first",), "POLICY: found './pickers.py:first', which runs code of"),
    "a misspelt policy": (("best_replika",), "did you mean 'best_replica'?"),
    "a misspelt function": (("./pickers.py:fist", "--allow-code"), "did you mean 'first'?"),
    "a misspelt regression": (
        ("best_replica", "--allow", "one_node_takes_al"),
        "--allow: found no regression 'one_node_takes_al'; allowed: one_node_takes_all, probes_each_request; did you",
    ),
    "no folder": (("best_replica", "--corpus", "none"), "--corpus: none is not a folder"),
    "too few seeds": (("best_replica", "--seeds", "1"), "found 1 as the number of seeds; allowed: 2 or more"),
    "seeds beyond the last": (("best_replica", "--seed", str(2**64 - 1)), "are not from 0 to"),
    "a report in no folder": (("best_replica", "--junit", "none/x.xml"), "--junit: none is not a folder"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_anything_runs(folder: Path, mistake: str) -> None:
    arguments, told = MISTAKES[mistake]

    done = sim("check", *FEW, *arguments, folder=folder)

    assert (done.returncode, done.stdout) == (ExitCode.BAD_INPUT, "")
    assert told in done.stderr


def test_a_corpus_that_no_policy_decides_gives_exit_code_5(folder: Path) -> None:
    (folder / "one_node_takes_all.yaml").unlink()

    done = sim("check", "best_replica", *FEW, folder=folder)

    assert (done.returncode, done.stdout) == (ExitCode.NOTHING, "")
    assert done.stderr == "best_replica: no policy decides any of these regressions: nothing was tried\n"
