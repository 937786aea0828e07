"""`sim run --out`: what a run folder holds, and that its files appear whole or not at all."""

import json
from hashlib import blake2b
from pathlib import Path

import pandas as pd
import pytest

from sim import __version__, load, run
from sim.study.out_folder import claimed
from tests.cli.command import BURST, HELD, SMALL, little_room, sim, sim_json, sim_process, written

FILES = ["choices.parquet", "events.parquet", "manifest.json", "picks.parquet", "plan.yaml", "probes.parquet"]
FILES = sorted([*FILES, "records.npz", "requests.parquet", "replicas.parquet", "summary.json"])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario, and in `out` what two seeds of it left behind."""
    home = tmp_path_factory.mktemp("home")
    (home / "small.yaml").write_text(SMALL + HELD)
    done = sim("run", "small.yaml", "--reps", "2", "--out", "out", "--json", folder=home)
    (home / "printed.json").write_text(done.stdout)
    return home


def test_each_run_has_a_folder_of_its_own_and_nothing_else_is_written(home: Path) -> None:
    names = [name for name in written(home / "out") if not (home / "out" / name).is_dir()]

    folders = [f"small/{variant}/seed-{seed}" for variant in ("fixed", "pinned") for seed in (3, 4)]
    assert names == [*(f"{folder}/{file}" for folder in folders for file in FILES), "summary.json"]


def test_one_run_alone_has_its_folder_at_the_same_place(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)

    sim("run", "small.yaml", "--variant", "fixed", "--out", "new/out", folder=tmp_path)

    assert sorted(path.name for path in (tmp_path / "new/out/small/fixed/seed-3").iterdir()) == FILES


def test_the_summary_is_the_document_that_json_prints(home: Path) -> None:
    assert (home / "out/summary.json").read_text() == (home / "printed.json").read_text()


def test_the_summary_of_a_run_is_the_document_of_that_run(home: Path) -> None:
    whole = json.loads((home / "out/summary.json").read_text())

    one = json.loads((home / "out/small/fixed/seed-4/summary.json").read_text())

    chosen = [run for run in whole["runs"] if (run["variant"], run["seed"]) == ("fixed", 4)]
    assert one == {**whole, "runs": chosen}


def test_the_manifest_has_the_hash_size_and_rows_of_every_other_file(home: Path) -> None:
    folder = home / "out/small/fixed/seed-3"

    manifest = json.loads((folder / "manifest.json").read_text())

    assert sorted(manifest["files"]) == [name for name in FILES if name != "manifest.json"]
    for name, entry in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert entry["blake2b"] == blake2b(content, digest_size=32).hexdigest()
        assert entry["bytes"] == len(content)
        rows = len(pd.read_parquet(folder / name)) if name.endswith(".parquet") else None
        assert entry.get("rows") == rows


def test_the_manifest_says_what_made_the_files(home: Path) -> None:
    manifest = json.loads((home / "out/small/pinned/seed-3/manifest.json").read_text())
    summary = json.loads((home / "out/small/pinned/seed-3/summary.json").read_text())

    del manifest["files"]
    assert set(manifest) == {"sim", "python", "numpy", "simpy", "scenario", "variant", "seed", "digest"}
    assert manifest["sim"] == __version__
    assert (manifest["scenario"], manifest["variant"], manifest["seed"]) == ("small", "pinned", 3)
    assert manifest["digest"] == summary["runs"][0]["digest"]


@pytest.mark.parametrize("table", ["requests", "probes", "picks", "events", "replicas"])
def test_a_table_reads_back_as_the_run_has_it(home: Path, table: str) -> None:
    result = run(load(home / "small.yaml"), "fixed", 4)

    stored = pd.read_parquet(home / f"out/small/fixed/seed-4/{table}.parquet")

    frame = getattr(result, table)
    # Parquet keeps no type for the words of a column that has none.
    empty = [column for column in frame if frame[column].isna().all()]
    assert stored[empty].isna().all(axis=None)
    pd.testing.assert_frame_equal(stored.drop(columns=empty), frame.drop(columns=empty))


@pytest.mark.parametrize(("variant", "seed"), [("pinned", 3), ("fixed", 4)])
def test_the_plan_runs_again_with_the_same_digest(home: Path, variant: str, seed: int) -> None:
    folder = home / f"out/small/{variant}/seed-{seed}"
    manifest = json.loads((folder / "manifest.json").read_text())

    runs = sim_json(folder / "plan.yaml")["runs"]

    assert [(run["seed"], run["digest"]) for run in runs] == [(seed, manifest["digest"])]


def test_the_plan_of_a_trace_runs_again_when_told_where_the_trace_is(tmp_path: Path) -> None:
    trace = "arrival_s,context_tokens,generated_tokens\n0.5,10,20\n0.5,30,5\n2.25,8,9\n"
    (tmp_path / "traces").mkdir()
    (tmp_path / "traces/t.csv").write_text(trace)
    (tmp_path / "t.yaml").write_text(SMALL.replace(BURST, "kind: trace, model: qwen3, file: traces/t.csv"))
    first = json.loads(sim("run", "t.yaml", "--out", "out", "--json", folder=tmp_path).stdout)
    plan = "out/small/fixed/seed-3/plan.yaml"

    lost = sim("run", plan, folder=tmp_path)
    again = json.loads(sim("run", plan, "--allow-dir", ".", "--json", folder=tmp_path).stdout)

    assert lost.returncode == 2
    assert "'traces/t.csv' does not exist" in lost.stderr
    assert again["runs"][0]["digest"] == first["runs"][1]["digest"]


def test_overwrite_replaces_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    arguments = ["run", "small.yaml", "--variant", "fixed", "--out", "out"]
    sim(*arguments, folder=tmp_path)
    before = written(tmp_path)

    done = sim(*arguments, "--overwrite", "--set", "workload.0.requests=6", folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert written(tmp_path) == before
    assert len(pd.read_parquet(tmp_path / "out/small/fixed/seed-3/requests.parquet")) == 6


def test_overwrite_leaves_no_run_that_the_new_summary_does_not_tell_of(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    sim("run", "small.yaml", "--reps", "3", "--out", "out", folder=tmp_path)
    notes = tmp_path / "out/small/pinned/seed-4/notes.txt"
    notes.write_text("mine")

    sim("run", "small.yaml", "--variant", "fixed", "--seed", "4", "--out", "out", "--overwrite", folder=tmp_path)

    files = [name for name in written(tmp_path / "out") if not (tmp_path / "out" / name).is_dir()]
    assert files == [*(f"small/fixed/seed-4/{file}" for file in FILES), "small/pinned/seed-4/notes.txt", "summary.json"]


def test_overwrite_clears_away_what_a_killed_command_had_staged(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    sim("run", "small.yaml", "--variant", "fixed", "--out", "out", folder=tmp_path)
    (tmp_path / "out/small/fixed/seed-3/.picks.parquet.4711.tmp").write_text("half of it")
    (tmp_path / "out/.summary.json.4711.tmp").write_text("half of it")

    sim("run", "small.yaml", "--variant", "fixed", "--out", "out", "--overwrite", folder=tmp_path)

    assert [name for name in written(tmp_path) if name.endswith(".tmp")] == []


@pytest.mark.parametrize("options", [[], ["--overwrite"]], ids=["new", "overwrite"])
def test_a_folder_that_another_command_writes_to_is_refused(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)

    with claimed(tmp_path / "out", [], overwrite=False):
        done = sim("run", "small.yaml", "--out", "out", *options, folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--out: another command writes to out now; allowed: a folder of its own\n"
    assert written(tmp_path) == ["out", "small.yaml"]


def test_a_scenario_named_as_the_summary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL.replace("name: small", "name: summary.json"))

    done = sim("run", "small.yaml", "--out", "out", folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "the scenario of small.yaml is called summary.json" in done.stderr
    assert written(tmp_path) == ["small.yaml"]


def test_a_full_disk_gives_exit_code_4_and_leaves_old_files_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    arguments = ["run", "small.yaml", "--out", "out"]
    sim(*arguments, folder=tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in written(tmp_path) if (tmp_path / name).is_file()}

    again = ("--overwrite", "--set", "workload.0.requests=9")
    done = sim_process(*arguments, *again, start=little_room(3000), folder=tmp_path)

    assert done.returncode == 4
    assert done.stderr.startswith("sim: cannot write to out/small/pinned/seed-3: File too large")
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert len(written(tmp_path)) == len(before) + len([p for p in tmp_path.rglob("*") if p.is_dir()])


def test_a_folder_that_cannot_be_made_is_bad_input_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)

    done = sim("run", path, "--out", path / "out")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"--out: {path / 'out'} cannot be used: not a directory; allowed: a folder that can be made\n"
    assert written(tmp_path) == ["small.yaml"]


def test_a_name_with_slashes_stays_within_the_out_folder(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL.replace("name: small", "name: a/../../b"))

    sim("run", "small.yaml", "--out", "out", folder=tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"small.yaml", "out"}
    assert (tmp_path / "out/a_.._.._b/fixed/seed-3/manifest.json").exists()
