"""`sim compare`: which variant is better, as a person and as a program asks."""

import json
from pathlib import Path

import pytest
import typer

from sim import compare, loads
from sim.cli.options.compare import part
from sim.cli.process.exits import ExitCode
from tests.cli.command import BURST, SMALL, sim

THREE = SMALL.replace("fixed: {}", "fixed: {}, patient: {router: {probe: {timeout: 9s}}}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "three.yaml").write_text(THREE)
    (tmp_path / "idle.yaml").write_text(SMALL.replace(BURST, "kind: poisson, model: qwen3, rate: 0.0001/s"))
    return tmp_path


def test_two_variants_are_compared_without_being_named(folder: Path) -> None:
    done = sim("compare", "small.yaml", "--reps", "3", "-j", "1", folder=folder)

    assert (done.returncode, done.stderr) == (ExitCode.HELD, "")
    assert done.stdout.startswith("small  fixed against pinned, 3 seeds, 3 to 5\n")
    assert "fairness.jain" in done.stdout


def test_json_is_what_the_python_interface_says(folder: Path) -> None:
    options = ("--reps", "3", "--seed", "8", "--metric", "latency.p50_s", "--confidence", "0.9", "--margin", "5%")

    done = sim("compare", "three.yaml", "--a", "fixed", "--b", "pinned", *options, "--json", "-j", "1", folder=folder)

    same = compare(loads(THREE), "fixed", "pinned", ["latency.p50_s"], reps=3, seed=8, confidence=0.9, margin=0.05)
    assert json.loads(done.stdout) == same.document


def test_processes_share_the_batches_and_change_nothing(folder: Path) -> None:
    options = ("--metric", "latency.p50_s", "--reps", "2", "--precision", "1%", "--max-reps", "4", "--json")

    shared = sim("compare", "small.yaml", *options, "--jobs", "2", folder=folder)

    assert (shared.returncode, shared.stderr) == (ExitCode.HELD, "")
    assert shared.stdout == sim("compare", "small.yaml", *options, "-j", "1", folder=folder).stdout
    document = json.loads(shared.stdout)
    assert document["seeds"] == [3, 4, 5, 6]
    assert document["remarks"] == [
        "After 4 seeds half of the interval is still wider than 1 % of pinned in latency.p50_s."
    ]


@pytest.mark.parametrize(
    ("base", "options", "code"),
    [
        ("fixed", (), ExitCode.HELD),
        ("fixed", ("--fail-on-worse",), ExitCode.BROKEN),
        ("pinned", ("--fail-on-worse",), ExitCode.HELD),
    ],
)
def test_a_verdict_is_no_failure_unless_it_is_made_one(
    folder: Path, base: str, options: tuple[str, ...], code: ExitCode
) -> None:
    done = sim("compare", "small.yaml", "--a", base, "--metric", "fairness.jain", *options, "-j", "1", folder=folder)

    assert done.returncode == code


def test_runs_in_which_nothing_happened_are_not_taken_for_equal(folder: Path) -> None:
    done = sim("compare", "idle.yaml", "--reps", "2", "-j", "1", folder=folder)

    assert done.returncode == ExitCode.NOTHING
    assert done.stderr == "idle.yaml: every figure is 0 or absent: nothing was compared\n"


MISTAKES = {
    "variants to choose from": (("three.yaml",), "name two of them as a and b: pinned, fixed, patient"),
    "a misspelt variant": (("three.yaml", "--a", "fixd"), "no variant 'fixd'; allowed: pinned, fixed, patient; did"),
    "a misspelt metric": (("small.yaml", "--metric", "latency.p99"), "did you mean 'latency.p99_s'?"),
    "several scenarios": (
        ("small.yaml", "three.yaml", "idle.yaml"),
        "found 3 paths; allowed: one scenario file, or two",
    ),
    "one folder": ((".",), "found one folder; allowed: one scenario file, or two folders"),
    "no file": (("none.yaml",), "none.yaml"),
    "a percentage without its sign": (("small.yaml", "--margin", "5"), "found '5'; allowed: a part such as 2% or 0.02"),
    "a precision of nothing": (("small.yaml", "--precision", "0%"), "a precision is more than 0"),
    "seeds beyond the last": (("small.yaml", "--seed", str(2**64 - 1)), "are not from 0 to"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_anything_runs(folder: Path, mistake: str) -> None:
    arguments, told = MISTAKES[mistake]

    done = sim("compare", *arguments, folder=folder)

    assert (done.returncode, done.stdout) == (ExitCode.BAD_INPUT, "")
    assert told in done.stderr


@pytest.mark.parametrize(("written", "value"), [("2%", 0.02), ("0.02", 0.02), ("100%", 1), (0.95, 0.95), ("0", 0)])
def test_a_part_is_a_percentage_or_a_fraction(written: str | float, value: float) -> None:
    assert part(written) == pytest.approx(value)


@pytest.mark.parametrize("written", ["5", "1", "fine", "2%%", "-1%", "101%", "nan", ""])
def test_what_could_be_meant_as_a_percentage_is_not_guessed_at(written: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"allowed: a part such as 2% or 0\.02, up to 100%"):
        part(written)


def test_the_markdown_has_what_each_variant_is_in_its_first_line_and_a_row_for_each_metric(folder: Path) -> None:
    sim("compare", "small.yaml", "--reps", "2", "-j", "1", "--markdown", "report.md", folder=folder)

    lines = (folder / "report.md").read_text().splitlines()
    assert lines[0].startswith("**fixed against pinned: ")
    assert lines[0].endswith("** in small, 2 seeds, 3 to 4")
    assert lines[2] == "|  | pinned | fixed | difference | interval | verdict |"
    assert any(line.startswith("| `fairness.jain` | 0.5 | ") for line in lines)
