"""Early ends: signals, readers that leave, full disks, killed workers, and faults of our own."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import ENDLESS, SMALL, START, command, environment, sim_process, started, written
from tests.waiting import LIMIT_S, wait_until

FAULTY = """
import sim.study.run
def fail(*_): raise RuntimeError("no such luck")
sim.study.run.run_scenario = fail
"""


def workers_of(process: "subprocess.Popen[str]") -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


# Each process takes a second to start, so the short form has each signal, and each number of jobs, once.
@pytest.mark.parametrize(
    ("number", "code", "jobs"),
    [
        pytest.param(signal.SIGINT, 130, "1", id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 143, "2", id="TERM, two jobs"),
        pytest.param(signal.SIGINT, 130, "2", id="Ctrl-C, two jobs", marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, 143, "1", id="TERM", marks=pytest.mark.long),
    ],
)
def test_a_signal_ends_it_at_once_with_its_code_and_no_traceback(
    tmp_path: Path, number: signal.Signals, code: int, jobs: str
) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "endless.yaml").write_text(ENDLESS)
    process = started("run", "small.yaml", "endless.yaml", "--json", "--out", "out", "--jobs", jobs, folder=tmp_path)
    wait_until("the first scenario to end", (tmp_path / "out/small/fixed/seed-3/manifest.json").exists)

    process.send_signal(number)
    output, errors = process.communicate(timeout=LIMIT_S)

    assert (process.returncode, output, errors) == (code, "", "sim: interrupted\n")


def test_after_a_signal_every_run_folder_is_complete_or_has_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    process = started("run", "small.yaml", "--reps", "500", "--jobs", "2", "--out", "out", folder=tmp_path)
    wait_until("a run folder", (tmp_path / "out/small/fixed/seed-5/manifest.json").exists)

    process.terminate()
    process.communicate(timeout=LIMIT_S)

    # Workers may take a moment longer.
    wait_until(
        "workers to take their files away", lambda: not [name for name in written(tmp_path) if name.endswith(".tmp")]
    )
    assert process.returncode == 143
    assert not (tmp_path / "out/summary.json").exists()
    folders = {path.parent for path in (tmp_path / "out").rglob("*.*")}
    assert all(len(list(folder.iterdir())) == 10 for folder in folders if (folder / "manifest.json").exists())


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_a_killed_worker_gives_exit_code_4_and_the_name_of_its_job(tmp_path: Path) -> None:
    (tmp_path / "endless.yaml").write_text(ENDLESS)
    process = started("run", "endless.yaml", "--reps", "2", "--jobs", "2", folder=tmp_path)
    wait_until("two workers", lambda: len(workers_of(process)) == 2)

    subprocess.run(["kill", "-KILL", str(workers_of(process)[0])], check=True)
    output, errors = process.communicate(timeout=LIMIT_S)

    assert (process.returncode, output) == (4, "")
    assert errors == "sim: the process that ran endless, seed 0 was killed, perhaps out of memory\n"


@pytest.mark.parametrize(
    "options", [pytest.param([], id="table"), pytest.param(["--json"], id="json", marks=pytest.mark.long)]
)
def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    process = started("run", "small.yaml", *options, folder=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None

    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()

    assert (process.wait(timeout=LIMIT_S), errors) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "options", [pytest.param([], id="table", marks=pytest.mark.long), pytest.param(["--json"], id="json")]
)
def test_an_output_without_room_gives_exit_code_4(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)

    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("run", "small.yaml", *options),
            cwd=tmp_path,
            env=environment({}),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 4
    assert done.stderr == "sim: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("arguments", [["run", "small.yaml"], ["run", "small.yaml", "--json"], ["schema"], ["list"]])
def test_a_closed_standard_output_gives_exit_code_4_before_anything_runs(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    shell = f"exec {shlex.join(command(*arguments))} >&-"

    done = subprocess.run(
        ["sh", "-c", shell], cwd=tmp_path, env=environment({}), stderr=subprocess.PIPE, text=True, check=False
    )

    assert done.returncode == 4
    assert done.stderr == "sim: standard output is closed; allowed: a terminal, file or pipe, or /dev/null\n"


def test_a_fault_of_our_own_gives_exit_code_4_and_a_report_to_send(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)

    done = sim_process("run", "small.yaml", start=FAULTY + START, folder=tmp_path, TMPDIR=str(tmp_path))

    reports = list(tmp_path.glob("sim-report-*.txt"))
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.splitlines() == [
        "sim: internal error: RuntimeError: no such luck",
        f"This is a bug in sim, not in your scenario. Please report it, with the file {reports[0]}",
    ]
    assert "RuntimeError: no such luck" in reports[0].read_text()
    assert "arguments: ['run', 'small.yaml']" in reports[0].read_text()
