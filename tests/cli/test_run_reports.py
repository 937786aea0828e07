"""What `sim run` writes for CI and pull requests: JUnit, Markdown, the summary of a job, and a baseline."""

import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.command import BROKEN, BURST, HELD, SMALL, little_room, sim, sim_process, written

TWO = "expect: [{metric: requests.completed, min: 4}, {variant: fixed, metric: requests.completed, max: 3}]\n"
OVER = "expect: [{variant: fixed, metric: requests.completed, min: 5, over: 3 seeds}]\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL + TWO)
    return tmp_path


def cases(path: Path) -> list[ET.Element]:
    return list(ET.parse(path).getroot().iter("testcase"))


def test_junit_has_a_test_for_each_expectation_and_run(home: Path) -> None:
    done = sim("run", "small.yaml", "--reps", "2", "--junit", "junit.xml", folder=home)

    root = ET.parse(home / "junit.xml").getroot()
    [suite] = root
    assert done.returncode == 1
    for element in (root, suite):
        assert {name: element.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
            "tests": "6",
            "failures": "2",
            "errors": "0",
            "skipped": "0",
        }
    assert [(case.get("classname"), case.get("name")) for case in suite] == [
        ("small.pinned", "requests.completed >= 4, seed 3"),
        ("small.fixed", "requests.completed >= 4, seed 3"),
        ("small.fixed", "requests.completed <= 3, seed 3"),
        ("small.pinned", "requests.completed >= 4, seed 4"),
        ("small.fixed", "requests.completed >= 4, seed 4"),
        ("small.fixed", "requests.completed <= 3, seed 4"),
    ]


def test_a_failed_test_says_why_and_how_to_run_it_again(home: Path) -> None:
    sim("run", "small.yaml", "--junit", "junit.xml", folder=home)

    [case] = [case for case in cases(home / "junit.xml") if case.find("failure") is not None]
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("fixed, seed 3: requests.completed is 4, expected <= 3: failed")
    assert (failure.text or "").splitlines()[-1] == "sim run small.yaml --variant fixed --seed 3"
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert (properties["value"], properties["bound"], properties["seed"]) == ("4", "<= 3", "3")
    assert len(properties["digest"] or "") == 32


def test_an_expectation_over_seeds_is_one_test_with_its_interval(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL + OVER)

    sim("run", "small.yaml", "-j", "1", "--junit", "junit.xml", folder=tmp_path)

    [case] = cases(tmp_path / "junit.xml")
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert case.get("name") == "requests.completed >= 5"
    assert (properties["low"], properties["high"], properties["seeds"]) == ("4.0", "4.0", "3")


def test_what_could_not_be_checked_is_a_skipped_test(home: Path) -> None:
    (home / "small.yaml").write_text(SMALL + "expect: [{variant: fixed, metric: latency.p99_s, below: pinned}]\n")

    sim("run", "small.yaml", "--variant", "fixed", "--junit", "junit.xml", folder=home)

    [case] = cases(home / "junit.xml")
    assert case.find("skipped") is not None


@pytest.mark.parametrize(
    ("expect", "first_line"),
    [
        (HELD, "✓ **Expectations: 1 of 1 hold**: small"),
        (BROKEN, "✗ **Expectations: 1 of 1 failed**: small"),
        ("", "**Expectations: none was checked**: small"),
    ],
    ids=["held", "broken", "none"],
)
def test_the_markdown_begins_with_the_verdict(home: Path, expect: str, first_line: str) -> None:
    (home / "small.yaml").write_text(SMALL + expect)

    sim("run", "small.yaml", "--markdown", "report.md", folder=home)

    assert (home / "report.md").read_text().splitlines()[0] == first_line


def test_the_markdown_has_a_table_with_a_column_for_each_variant(home: Path) -> None:
    sim("run", "small.yaml", "--markdown", "report.md", folder=home)

    lines = (home / "report.md").read_text().splitlines()
    assert "|  | pinned | fixed |" in lines
    assert "| share of spark#0 | 100% | 75% |" in lines
    assert "| `requests.completed` | 4 | ✗ 4 |" in lines


def test_the_markdown_warns_of_a_variant_whose_requests_pile_up(home: Path) -> None:
    busy = SMALL.replace(BURST, "kind: poisson, model: qwen3, rate: 5/s")
    (home / "busy.yaml").write_text(busy)

    sim("run", "small.yaml", "busy.yaml", "--variant", "fixed", "--markdown", "report.md", folder=home)

    report = (home / "report.md").read_text()
    assert report.count("its times grow with the length of the run") == 1
    assert "- ! fixed is overloaded: its times grow with the length of the run, or requests go unserved\n" in report


def test_the_summary_of_a_github_job_is_appended_to_and_nothing_else_is_needed(home: Path) -> None:
    (home / "summary.md").write_text("before\n")

    sim("run", "small.yaml", "--markdown", "report.md", folder=home, GITHUB_STEP_SUMMARY=str(home / "summary.md"))

    assert (home / "summary.md").read_text() == "before\n" + (home / "report.md").read_text() + "\n"


def test_a_summary_that_cannot_be_written_is_told_and_changes_nothing_else(home: Path) -> None:
    (home / "small.yaml").write_text(SMALL + HELD)

    done = sim("run", "small.yaml", folder=home, GITHUB_STEP_SUMMARY=str(home / "no/such.md"))

    assert done.returncode == 0
    assert "GITHUB_STEP_SUMMARY: cannot write to" in done.stderr


def test_a_baseline_holds_as_long_as_nothing_changes(home: Path) -> None:
    (home / "small.yaml").write_text(SMALL + HELD)

    saved = sim("run", "small.yaml", "--save-baseline", "baseline.yaml", folder=home)
    kept = (home / "baseline.yaml").read_text()
    again = sim("run", "small.yaml", "--baseline", "baseline.yaml", "--save-baseline", "baseline.yaml", folder=home)

    assert (saved.returncode, again.returncode) == (0, 0)
    assert "small, fixed: identical to the baseline" in again.stdout
    assert (home / "baseline.yaml").read_text() == kept


def test_a_figure_that_differs_from_the_baseline_is_a_failure_and_named(home: Path) -> None:
    (home / "small.yaml").write_text(SMALL + HELD)
    sim("run", "small.yaml", "--save-baseline", "baseline.yaml", folder=home)

    slower = ("run", "small.yaml", "--set", "models.0.service.mean=2s", "--baseline", "baseline.yaml")
    done = sim(*slower, "--markdown", "report.md", folder=home)

    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if line.startswith("small, fixed: latency.p50_s: baseline "))
    assert line.endswith(": worse")
    assert "figures other than in the baseline: " in (home / "report.md").read_text().splitlines()[0]


def test_json_stays_one_document_beside_a_baseline(home: Path) -> None:
    (home / "small.yaml").write_text(SMALL + HELD)
    sim("run", "small.yaml", "--save-baseline", "baseline.yaml", folder=home)

    done = sim("run", "small.yaml", "--baseline", "baseline.yaml", "--json", folder=home)

    assert done.stdout.startswith("{")
    assert done.stdout.endswith("}\n")
    assert "small, fixed: identical to the baseline" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--junit", "no/junit.xml"], "--junit: no is not a folder; allowed: a file in a folder that exists"),
        (["--markdown", "."], "--markdown: . is a folder; allowed: a file"),
        (["--baseline", "none.yaml"], "--baseline: none.yaml cannot be read: No such file or directory"),
        (["--baseline", "small.yaml"], "--baseline: small.yaml: "),
        (["small.yaml", "--save-baseline", "b.yaml"], "two scenarios are called small"),
    ],
)
def test_what_cannot_be_read_or_written_is_refused_before_anything_runs(
    home: Path, options: list[str], message: str
) -> None:
    done = sim("run", "small.yaml", "--out", "out", *options, folder=home)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert written(home) == ["small.yaml"]


def test_a_report_that_is_there_is_replaced_whole_or_stays(home: Path) -> None:
    (home / "junit.xml").write_text("old")
    done = sim_process("run", "small.yaml", "--junit", "junit.xml", folder=home, start=little_room(100))

    assert done.returncode == 4
    assert (home / "junit.xml").read_text() == "old"
    assert written(home) == ["junit.xml", "small.yaml"]


def test_a_report_never_takes_the_place_of_a_link_or_a_device(home: Path) -> None:
    (home / "small.yaml").write_text(SMALL)
    (home / "out").symlink_to("/dev/stdout")
    os.mkfifo(home / "pipe")

    for name in ("out", "pipe"):
        done = sim("run", "small.yaml", "--markdown", name, folder=home)

        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"--markdown: {name} is a link or a device; allowed: a regular file, or a new one\n"
    assert (home / "out").is_symlink()
    assert (home / "pipe").is_fifo()
