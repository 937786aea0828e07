"""A result that was saved is given back by `sim.read`, and can do what it could before."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim import RunResult, loads, run
from sim.measure.saved.run_folder import BadRunFolder
from sim.measure.saved.staged_files import CannotWrite
from sim.measure.saved.stored_records import UnknownRecords, read_records
from tests.cli.command import BURST, SMALL

TABLES = ("requests", "picks", "probes", "events", "replicas", "in_flight")


@pytest.fixture(scope="module")
def result() -> RunResult:
    return run(loads(SMALL), "pinned", 7)


@pytest.fixture
def folder(tmp_path: Path, result: RunResult) -> Path:
    result.save(tmp_path / "runs/x")
    return tmp_path / "runs/x"


def test_a_result_reads_back_with_its_figures_and_its_scenario(result: RunResult, folder: Path) -> None:
    again = sim.read(folder)

    assert repr(again) == repr(result)
    assert (again.metrics, again.digest, again.totals) == (result.metrics, result.digest, result.totals)
    assert again.facts == result.facts
    assert loads(str(again.plan)).variants["default"] == result.plan
    assert again.records.digest() == result.digest


@pytest.mark.parametrize("table", TABLES)
def test_every_table_reads_back_as_it_was(result: RunResult, folder: Path, table: str) -> None:
    pd.testing.assert_frame_equal(getattr(sim.read(folder), table), getattr(result, table))


def test_figures_of_a_window_can_be_taken_of_what_was_read(result: RunResult, folder: Path) -> None:
    assert sim.read(str(folder)).metrics_in(after="2s") == result.metrics_in(after="2s")


def test_what_was_read_can_be_saved_again(folder: Path, tmp_path: Path) -> None:
    sim.read(folder).save(tmp_path / "copy")

    assert (tmp_path / "copy/records.npz").read_bytes() == (folder / "records.npz").read_bytes()
    assert sim.read(tmp_path / "copy").digest == sim.read(folder).digest


def test_a_result_reads_back_where_the_trace_and_the_policy_of_its_scenario_are_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("arrival_s,context_tokens,generated_tokens\n0.5,10,20\n2.25,8,9\n")
    text = SMALL.replace(BURST, "kind: trace, model: qwen3, file: t.csv")
    file = loads(text, folder=tmp_path, policies={"mine": lambda replicas: replicas[-1]})

    run(file, "mine").save(tmp_path / "elsewhere/x")

    again = sim.read(tmp_path / "elsewhere/x")
    assert again.requests["replica"].tolist() == ["thor#0", "thor#0"]
    assert again.metrics_in(after="1s")["requests.offered"] == 1


def test_a_folder_that_is_not_there_or_not_complete_is_refused(folder: Path) -> None:
    (folder / "records.npz").unlink()

    for path in (folder, folder / "nowhere"):
        with pytest.raises(BadRunFolder, match="holds no complete run: No such file or directory: "):
            sim.read(path)


@pytest.mark.parametrize("name", ["summary.json", "records.npz", "plan.yaml"])
def test_a_file_that_was_changed_since_is_noticed(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")

    with pytest.raises(BadRunFolder, match=f"{name} is not the file that manifest.json tells of"):
        sim.read(folder)


def test_records_with_other_facts_are_those_of_another_version(folder: Path, tmp_path: Path) -> None:
    with np.load(folder / "records.npz") as stored:
        arrays = dict(stored)
    head = json.loads(bytes(arrays["head"]))
    del head["facts"]["policies"]
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    np.savez(tmp_path / "older.npz", allow_pickle=False, **arrays)

    with pytest.raises(UnknownRecords, match=r"older\.npz holds other tables, columns or facts than this version"):
        read_records(tmp_path / "older.npz")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": {}}'])
def test_a_manifest_that_is_none_is_refused(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content)

    with pytest.raises(BadRunFolder, match=r"manifest\.json is no manifest of a run"):
        sim.read(folder)


def test_a_saved_summary_is_the_document_of_a_run_that_was_not_judged(result: RunResult, folder: Path) -> None:
    [saved] = json.loads((folder / "summary.json").read_text())["runs"]

    assert (saved["digest"], saved["metrics"], saved["expectations"]) == (result.digest, result.metrics, [])


def test_a_place_that_cannot_be_written_to_is_told(result: RunResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CannotWrite, match=r"cannot write to .*Not a directory"):
        result.save(tmp_path / "file/x")
