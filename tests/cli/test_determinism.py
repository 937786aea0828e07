"""The same digests, whatever the process around the run is like."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import SMALL, sim_json, sim_process_json

BUSY = SMALL.replace("requests: 4, spread: 2s", "requests: 60, spread: 20s")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("busy") / "busy.yaml"
    path.write_text(BUSY)
    return path


@pytest.fixture(scope="module")
def plain(busy: Path) -> list[str]:
    """The digests of a run like any other."""
    return digests(sim_json(busy))


@pytest.mark.parametrize(("hash_seed", "flags"), [("1", ()), ("random", ("-O",))], ids=["1", "random, optimised"])
def test_the_hash_seed_and_optimised_code_change_no_digest(
    busy: Path, plain: list[str], hash_seed: str, flags: tuple[str, ...]
) -> None:
    assert digests(sim_process_json(busy, flags=flags, PYTHONHASHSEED=hash_seed)) == plain


def test_another_seed_changes_every_digest(busy: Path, plain: list[str]) -> None:
    assert not set(digests(sim_json(busy, "--seed", "4"))) & set(plain)


def digests(document: dict[str, Any]) -> list[str]:
    return [run["digest"] for run in document["runs"]]
