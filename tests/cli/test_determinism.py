"""The same digests, whatever the process around the run is like."""

from itertools import product
from pathlib import Path

import pytest

from tests.cli.command import SMALL, sim_json

BUSY = SMALL.replace("requests: 4, spread: 2s", "requests: 60, spread: 20s")


def digests(path: Path, *arguments: str, flags: tuple[str, ...] = (), hash_seed: str = "0") -> list[str]:
    document = sim_json(path, *arguments, flags=flags, PYTHONHASHSEED=hash_seed)
    return [run["digest"] for run in document["runs"]]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("busy") / "busy.yaml"
    path.write_text(BUSY)
    return path


@pytest.fixture(scope="module")
def plain(busy: Path) -> list[str]:
    """The digests of a run like any other."""
    return digests(busy)


@pytest.mark.parametrize(("hash_seed", "flags"), list(product(["0", "1", "random"], [(), ("-O",)])))
def test_the_hash_seed_and_optimised_code_change_no_digest(
    busy: Path, plain: list[str], hash_seed: str, flags: tuple[str, ...]
) -> None:
    assert digests(busy, flags=flags, hash_seed=hash_seed) == plain


def test_worker_processes_change_no_digest(busy: Path) -> None:
    assert digests(busy, "--reps", "3", "--jobs", "3") == digests(busy, "--reps", "3")


def test_another_seed_changes_every_digest(busy: Path, plain: list[str]) -> None:
    assert not set(digests(busy, "--seed", "4")) & set(plain)
