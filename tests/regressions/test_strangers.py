"""`sim check` tells sound pickers from those with a slip, whoever wrote them and in whatever language."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from sim import check
from tests.regressions.shipped import FOLDER

STRANGERS = Path(__file__).with_name("strangers.py")
PROGRAMS = FOLDER.parent / "pickers"
SLIPS = {
    "InTurnOverTheFirstOnes": ("late_replica_forgotten", "sticky_replica"),
    "first_of_the_idlest": ("first_of_equals", "simultaneous_picks_herd"),
    "IdlestTenSecondsAgo": ("snapshot_herd",),
    "Busiest": ("first_of_equals", "stale_power_of_two", "sticky_replica"),
}
"""Each with regressions that it brings back; others of the corpus may be among them too."""
FIRST_OF_THE_IDLEST_IN_JAVASCRIPT = """#!/usr/bin/env node
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { candidates } = JSON.parse(line);
  const loads = candidates.map((candidate) => candidate.in_flight);
  process.stdout.write(JSON.stringify({ index: loads.indexOf(Math.min(...loads)) }) + "\\n");
});
"""


@pytest.mark.parametrize(
    ("picker", "seeds", "seed"),
    [
        ("AnyOfTheIdlest", 3, None),
        *(
            pytest.param(picker, 20, first, marks=pytest.mark.long)
            for picker in ("AnyOfThem", "BetterOfTwo", "AnyOfTheIdlest", "InTurnById")
            for first in (100, 200, 300)
        ),
    ],
)
def test_a_sound_picker_raises_no_alarm(picker: str, seeds: int, seed: int | None) -> None:
    results = check(f"{STRANGERS}:{picker}", allow_code=True, seeds=seeds, seed=seed)

    assert results.failed == []
    assert len(results.all_that_are("immune")) > 5


@pytest.mark.parametrize("picker", SLIPS)
@pytest.mark.parametrize("seed", [None, pytest.param(100, marks=pytest.mark.long)])
def test_a_slip_is_found(tmp_path: Path, picker: str, seed: int | None) -> None:
    corpus = part_of_the_corpus(tmp_path, SLIPS[picker])

    results = check(f"{STRANGERS}:{picker}", allow_code=True, corpus=corpus, seeds=10, seed=seed)

    assert [one.known.name for one in results.failed] == sorted(SLIPS[picker])


def test_a_sound_program_raises_no_alarm_and_one_with_a_slip_does(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    slip = tmp_path / "picker.js"
    slip.write_text(FIRST_OF_THE_IDLEST_IN_JAVASCRIPT)
    slip.chmod(0o755)
    corpus = part_of_the_corpus(tmp_path, ["first_of_equals", "sticky_replica"])

    sound = check(f"exec:{PROGRAMS / 'round_robin.js'}", allow_code=True, corpus=corpus, seeds=3)
    flawed = check(f"exec:{slip}", allow_code=True, corpus=corpus, seeds=3)

    assert sound.failed == []
    assert [one.known.name for one in flawed.failed] == ["first_of_equals"]


def part_of_the_corpus(folder: Path, names: Sequence[str]) -> Path:
    """Make a corpus of these regressions alone."""
    corpus = folder / "corpus"
    corpus.mkdir()
    for name in names:
        os.symlink(FOLDER / f"{name}.yaml", corpus / f"{name}.yaml")
    return corpus
