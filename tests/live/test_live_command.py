"""`sim live` as a user runs it: real processes, a real registry, and nothing left behind."""

import asyncio
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim import read
from sim.live.cluster.calibrate import Effort
from sim.live.registry.connection import connect
from sim.live.runtime import AsyncioRuntime
from tests.cli.command import command, environment, sim, sim_process
from tests.live.workers import wait_until_gone
from tests.waiting import LIMIT_S, wait_until

# The limits of probes and the times at which replicas are ready leave a slow machine all the time it needs.
SHORT = """
name: short
seed: 1
duration: 20s
nodes: [{name: dgx-spark1}, {name: nvidia-thor1}]
models:
  - name: qwen3
    backend: {health: independent}
    service: {mean: 700ms, distribution: deterministic}
    replicas: [{node: dgx-spark1}, {node: nvidia-thor1}]
frontends: 2
workload: [{kind: uniform, model: qwen3, rate: 2/s}]
variants:
  pinned: {frontends: 1, router: {profile: pinned, probe: {timeout: 100s}}}
  fixed: {router: {profile: fixed, probe: {timeout: 100s}}}
expect:
  - {variant: pinned, metric: fairness.busiest_share, min: 1.0}
  - {variant: fixed, metric: fairness.busiest_share, max: 0.8}
  - {metric: requests.completed, min: 39}
"""
LONG = SHORT.replace("duration: 20s", "duration: 20m")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "short.yaml").write_text(SHORT)
    (tmp_path / "long.yaml").write_text(LONG)
    return tmp_path


def descendants(pid: int) -> list[int]:
    """Return the process's children and theirs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children] + [one for child in children for one in descendants(int(child))]


# In the short form, the recorded run shows PostgreSQL.
@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_a_live_run_keeps_its_expectations_on_either_database_and_writes_what_it_shows(
    folder: Path, database_url: str
) -> None:
    options = ("--time-scale", "0.1", "--registry", database_url, "--out", "runs", "--json")
    done = sim_process("live", "short.yaml", *options, folder=folder)

    document = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert [run["variant"] for run in document["runs"]] == ["pinned", "fixed"]
    for one in document["runs"]:
        assert one["metrics"]["requests.completed"] == one["metrics"]["requests.offered"] == 39
        assert one["metrics"]["in_flight.final"] == 0
        assert "in_flight.drift_s" not in one["metrics"]
        assert all(expectation["passed"] for expectation in one["expectations"])
        saved = read(folder / "runs" / "short" / one["variant"] / "seed-1")
        assert (saved.digest, saved.metrics, len(saved.requests)) == (one["digest"], one["metrics"], 39)
    assert json.loads((folder / "runs" / "summary.json").read_text()) == document


def test_a_folder_that_holds_something_else_is_refused_before_anything_runs(folder: Path) -> None:
    done = sim("live", "long.yaml", "--out", ".", folder=folder)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--out: . is not empty; allowed: a new or empty folder, or --overwrite\n"


def test_a_comparison_has_a_row_a_figure_and_says_what_each_has_to_meet(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing here depends on how often a calibration measures, or on how many replications there are.
    monkeypatch.setattr("sim.cli.commands.live._SHORT_EFFORT", Effort(requests=8, crowds=2, installs=1))
    monkeypatch.setattr("sim.cli.commands.live.SIMULATED_REPLICATIONS", 6)

    done = sim("live", "short.yaml", "--variant", "pinned", "--time-scale", "0.1", "--compare", "--json", folder=folder)

    assert done.returncode in (0, 1), done.stderr
    compared = json.loads(done.stdout)
    rows = compared["rows"]
    # Whether all agree is a matter of how busy the machine is; that the exit code says so is not.
    assert done.returncode == (0 if all(row["passed"] for row in rows) else 1), done.stderr
    assert set(rows[0]) == {"metric", "variant", "live", "simulated", "tolerance", "passed"}
    assert {row["variant"] for row in rows} == {"pinned"}
    assert {row["metric"] for row in rows} >= {"requests.failed", "route.p99_s", "replicas.dgx-spark1#0.share"}
    # From a calibration before and one after.
    assert compared["machine"]["measured"]["touch"]["count"] == 16
    assert compared["machine"]["allowed_s"] > 0


def test_a_recorded_run_keeps_its_expectations_and_is_replayed_to_the_same_decisions(
    folder: Path, postgres_url: str
) -> None:
    options = ("--time-scale", "0.1", "--registry", postgres_url, "--record", "run.rec", "--json")
    live = sim("live", "short.yaml", "--variant", "fixed", *options, folder=folder)

    replayed = sim("replay", "run.rec", "--json", folder=folder)

    assert (live.returncode, replayed.returncode) == (0, 0), live.stderr + replayed.stderr
    [run] = json.loads(live.stdout)["runs"]
    assert [expectation["passed"] for expectation in run["expectations"]] == [True, True]
    assert json.loads(replayed.stdout) == {"decisions": 39, "identical": True, "first_difference": None}


def test_a_recording_that_cannot_be_written_is_refused_before_anything_runs(folder: Path) -> None:
    done = sim("live", "short.yaml", "--variant", "fixed", "--record", "long.yaml/run.rec", folder=folder)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--record: long.yaml is not a folder; allowed: a new file in a folder\n"


def test_a_recording_is_of_one_variant_and_replaces_no_file(folder: Path) -> None:
    of_two = sim("live", "short.yaml", "--record", "run.rec", folder=folder)
    onto_another = sim("live", "short.yaml", "--variant", "fixed", "--record", "long.yaml", folder=folder)

    assert (of_two.returncode, onto_another.returncode) == (2, 2)
    assert "name one with --variant" in of_two.stderr
    assert "long.yaml exists" in onto_another.stderr
    assert (folder / "long.yaml").read_text() == LONG


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="INT"),
        pytest.param(signal.SIGTERM, 143, id="TERM", marks=pytest.mark.long),
        pytest.param(signal.SIGKILL, -9, id="KILL"),
    ],
)
def test_however_the_command_ends_no_process_of_its_own_is_left(
    folder: Path, number: signal.Signals, code: int
) -> None:
    temporary = folder / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        command("live", "long.yaml", "--variant", "pinned"),
        cwd=folder,
        env=environment({"TMPDIR": str(temporary)}),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    # Two workers, a frontend, and the tracker that multiprocessing starts with it.
    wait_for("four processes", process, lambda: len(descendants(process.pid)) >= 4)
    of_ours = descendants(process.pid)

    process.send_signal(number)
    process.communicate(timeout=LIMIT_S)

    assert process.returncode == code
    wait_until_gone(of_ours)
    if number != signal.SIGKILL:
        assert list(temporary.glob("sim-live-*")) == []


# Six requests, each of an hour, on one process that serves them all at once: they end only with it.
HOURS = """
name: hours
duration: 1s
nodes: [{name: dgx-spark1}]
models:
  - name: qwen3
    backend: {health: independent, workers: 6}
    service: {mean: 1h, distribution: deterministic}
    replicas: [{node: dgx-spark1}]
workload: [{kind: burst, model: qwen3, at: 100ms, requests: 6}]
variants: {fixed: {}}
"""
COUNTED_ONCE_SERVED = 12
"""What the registry counts when all of them are being served: one for each pick and one for each call."""


@pytest.mark.parametrize("database_url", ["postgresql", pytest.param("sqlite", marks=pytest.mark.long)], indirect=True)
def test_a_worker_killed_in_the_middle_loses_no_requests_record(folder: Path, database_url: str) -> None:
    (folder / "hours.yaml").write_text(HOURS)
    process = subprocess.Popen(
        command("live", "hours.yaml", "--registry", database_url, "--json"),
        cwd=folder,
        env=environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # Each look opens the registry, which takes longer than the usual pause between two looks.
    wait_for("all requests to be served", process, lambda: in_flight(database_url) == COUNTED_ONCE_SERVED, every_s=0.3)

    (worker,) = [one for one in descendants(process.pid) if b"worker_process" in cmdline(one)]
    os.kill(worker, signal.SIGKILL)
    output, errors = process.communicate(timeout=LIMIT_S)

    assert process.returncode == 0, errors
    (run,) = json.loads(output)["runs"]
    assert run["metrics"]["requests.failed"] == run["metrics"]["requests.offered"] == 6


def test_a_frontend_that_is_killed_ends_the_run_with_exit_code_4(folder: Path) -> None:
    # No path of a socket could be as long as those below this folder.
    temporary = folder / ("t" * 100)
    temporary.mkdir()
    process = subprocess.Popen(
        command("live", "long.yaml", "--variant", "fixed"),
        cwd=folder,
        env=environment({"TMPDIR": str(temporary)}),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for("a frontend", process, lambda: frontends_of(process.pid))

    os.kill(frontends_of(process.pid)[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=LIMIT_S)

    assert process.returncode == 4
    assert re.fullmatch("sim: the run has failed: frontend [01] ended before it had reported\n", errors)


def wait_for(
    what: str, process: "subprocess.Popen[Any]", has_come: Callable[[], object], *, every_s: float = 0.01
) -> None:
    """Return once it has come; fails with what the process said if that ends before."""
    wait_until(what, lambda: process.poll() is not None or has_come(), every_s=every_s)
    assert process.poll() is None, process.communicate()[1]


def frontends_of(pid: int) -> list[int]:
    return [one for one in descendants(pid) if b"spawn_main" in cmdline(one)]


def cmdline(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def in_flight(registry_url: str) -> int:
    """Return how many requests the registry counts."""

    async def count() -> int:
        async with connect(registry_url, AsyncioRuntime()) as registry:
            return await registry.total_in_flight()

    return asyncio.run(count())


@pytest.mark.parametrize(
    ("registry", "message"),
    [
        ("sqlight", "allowed: sqlite, postgres, or a URL"),
        ("mysql://localhost/db", "registry"),
        ("postgresql://127.0.0.1:1/none", "registry"),
    ],
)
def test_a_registry_that_cannot_be_used_is_a_users_mistake(folder: Path, registry: str, message: str) -> None:
    done = sim("live", "short.yaml", "--registry", registry, folder=folder)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
