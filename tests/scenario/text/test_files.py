"""Scenario files that cannot be read at all."""

import os
from pathlib import Path

import pytest

from sim import load
from sim.scenario import ScenarioError


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"

    with pytest.raises(ScenarioError) as refusal:
        load(path)

    expected = f"{path}: cannot be opened: no such file or directory; allowed: a regular file that exists"
    assert str(refusal.value) == expected


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is a folder; allowed: a file"):
        load(tmp_path)


def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)

    with pytest.raises(ScenarioError, match="is not a regular file; allowed: no device, FIFO or socket"):
        load(path)


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "a\0b", "a" * 5000])
def test_a_device_or_an_impossible_name_is_refused(path: str) -> None:
    with pytest.raises(ScenarioError, match="; allowed: "):
        load(path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a regular file whose first read fails")
def test_a_file_whose_read_fails_is_refused() -> None:
    with pytest.raises(ScenarioError) as refusal:
        load("/proc/self/mem")

    expected = "/proc/self/mem: cannot be read: input/output error; allowed: a regular file that can be read"
    assert str(refusal.value) == expected


def test_a_name_with_control_characters_is_escaped(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as refusal:
        load(tmp_path / "red\x1b[31m.yaml")

    assert str(refusal.value).isprintable()
