"""`sim compare`: which variant is better, as a person and as a program asks."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from sim import compare, loads
from sim.cli.app import app
from sim.cli.compare_options import part
from sim.cli.process.exits import BadInput, ExitCode
from tests.cli.command import BURST, SMALL, sim

THREE = SMALL.replace("fixed: {}", "fixed: {}, patient: {router: {probe: {timeout: 9s}}}")


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL)
    Path("three.yaml").write_text(THREE)


def compare_by_command(*arguments: str) -> Any:
    """Run the command in this process, which starts sooner, and return its exit code."""
    return app(["compare", *arguments], standalone_mode=False)


def test_two_variants_are_compared_without_being_named(capsys: pytest.CaptureFixture[str]) -> None:
    code = compare_by_command("small.yaml", "--reps", "3")

    out, err = capsys.readouterr()
    assert (code, err) == (ExitCode.HELD, "")
    assert out.startswith("small  fixed against pinned, 3 seeds, 3 to 5\n")
    assert "fairness.jain" in out


def test_json_is_what_the_python_interface_says(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--reps", "3", "--seed", "8", "--metric", "latency.p50_s", "--confidence", "0.9", "--margin", "5%")

    compare_by_command("three.yaml", "--a", "fixed", "--b", "pinned", *options, "--json")

    same = compare(loads(THREE), "fixed", "pinned", ["latency.p50_s"], reps=3, seed=8, confidence=0.9, margin=0.05)
    assert json.loads(capsys.readouterr().out) == same.document


def test_processes_share_the_batches_and_change_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--metric", "latency.p50_s", "--reps", "2", "--precision", "1%", "--max-reps", "4", "--json")

    shared = sim("compare", "small.yaml", *options, "--jobs", "2")

    assert (shared.returncode, shared.stderr) == (ExitCode.HELD, "")
    compare_by_command("small.yaml", *options)
    assert shared.stdout == capsys.readouterr().out
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
def test_a_verdict_is_no_failure_unless_it_is_made_one(base: str, options: tuple[str, ...], code: ExitCode) -> None:
    assert compare_by_command("small.yaml", "--a", base, "--metric", "fairness.jain", *options) == code


def test_runs_in_which_nothing_happened_are_not_taken_for_equal(capsys: pytest.CaptureFixture[str]) -> None:
    Path("idle.yaml").write_text(SMALL.replace(BURST, "kind: poisson, model: qwen3, rate: 0.0001/s"))

    code = compare_by_command("idle.yaml", "--reps", "2")

    assert code == ExitCode.NOTHING
    assert capsys.readouterr().err == "idle.yaml: every figure is 0 or absent: nothing was compared\n"


MISTAKES = {
    "variants to choose from": (("three.yaml",), "name two of them as a and b: pinned, fixed, patient"),
    "a misspelt variant": (("three.yaml", "--a", "fixd"), "no variant 'fixd'; allowed: pinned, fixed, patient; did"),
    "a misspelt metric": (("small.yaml", "--metric", "latency.p99"), "did you mean 'latency.p99_s'?"),
    "two scenarios": (("small.yaml", "three.yaml"), "found 2 paths; allowed: one scenario file"),
    "no file": (("none.yaml",), "none.yaml"),
    "a precision of nothing": (("small.yaml", "--precision", "0%"), "a precision is more than 0"),
    "seeds beyond the last": (("small.yaml", "--seed", str(2**64 - 1)), "are not from 0 to"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_anything_runs(mistake: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, told = MISTAKES[mistake]

    with pytest.raises(BadInput) as error:
        compare_by_command(*arguments)

    assert told in str(error.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("written", "value"), [("2%", 0.02), ("0.02", 0.02), ("100%", 1), (0.95, 0.95), ("0", 0)])
def test_a_part_is_a_percentage_or_a_fraction(written: str | float, value: float) -> None:
    assert part(written) == pytest.approx(value)


@pytest.mark.parametrize("written", ["5", "1", "fine", "2%%", "-1%", "101%", "nan", ""])
def test_what_could_be_meant_as_a_percentage_is_not_guessed_at(written: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"allowed: a part such as 2% or 0\.02, up to 100%"):
        part(written)
