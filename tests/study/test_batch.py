"""Batches: the jobs' runs in the order of the jobs, whoever does them."""

import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

import sim
from sim import loads
from sim.observer import RunView
from sim.study.batch import Job, RunSpec, do, run_batch
from sim.study.errors import WorkerDied
from sim.study.process_executor import ProcessExecutor
from tests.cli.command import SMALL

FILE = loads(SMALL + "expect: [{variant: fixed, metric: latency.max_s, below: pinned}]\n")
JOBS = [Job(FILE, (RunSpec("pinned", seed), RunSpec("fixed", seed))) for seed in (5, 3, 4)]


class Noted:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def started(self, run: RunSpec) -> None:
        self.told.append(f"{run.variant} {run.seed}")

    def begin(self, view: RunView) -> None:
        self.told.append(f"at {view.clock.now_ns()}")

    def done(self, runs: int) -> None:
        self.told.append(f"{runs} done")


def test_runs_come_in_the_order_of_the_jobs_and_of_their_variants() -> None:
    with ThreadPoolExecutor(3) as executor:
        runs = [(one.variant, one.seed) for of_job in run_batch(JOBS, executor) for one in of_job]

    assert runs == [(variant, seed) for seed in (5, 3, 4) for variant in ("pinned", "fixed")]


def test_an_executor_changes_no_figure_and_no_verdict() -> None:
    with ThreadPoolExecutor(2) as executor:
        assert list(run_batch(JOBS, executor)) == list(run_batch(JOBS))


def test_without_an_executor_a_job_is_done_when_it_is_asked_for() -> None:
    watcher = Noted()
    batch = run_batch(JOBS, watcher=watcher)

    next(batch)
    assert watcher.told == ["pinned 5", "at 0", "fixed 5", "at 0"]
    next(batch)
    assert watcher.told[4:] == ["2 done", "pinned 3", "at 0", "fixed 3", "at 0"]


def test_the_runs_of_a_job_are_judged_against_each_other_and_each_keeps_its_own_verdicts() -> None:
    pinned, fixed = do(JOBS[0])

    assert pinned.verdicts == ()
    [verdict] = fixed.verdicts
    assert (verdict.variant, verdict.seed) == ("fixed", 5)
    assert verdict.bound == f"< pinned ({pinned.metrics['latency.max_s']:.6g})"


def test_a_run_with_a_folder_is_saved_there_with_its_verdicts(tmp_path: Path) -> None:
    [run] = do(Job(FILE, (RunSpec("fixed", 5, tmp_path / "fixed"),)))

    assert sim.read(tmp_path / "fixed").digest == run.digest
    assert '"bound": "< pinned (not run)"' in (tmp_path / "fixed/summary.json").read_text()


def test_a_worker_that_is_killed_is_told_with_the_job_it_had() -> None:
    message = "the process that ran small, seed 5 was killed, perhaps out of memory"

    with (
        pytest.raises(WorkerDied, match=message),
        ProcessExecutor(1, partial(signal.raise_signal, signal.SIGKILL)) as executor,
    ):
        list(run_batch(JOBS, executor))
