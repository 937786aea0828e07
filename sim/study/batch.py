"""Many runs: each scenario's chosen variants on each seed, here or wherever an executor takes them."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun
from sim.measure.result import RunResult
from sim.observer import RunView
from sim.scenario import ScenarioFile
from sim.study.calls import answers_in_order
from sim.study.judge import judge
from sim.study.out_folder import pictures_of, run_folder
from sim.study.run import run
from sim.study.selection import RunSelection

if TYPE_CHECKING:
    from sim.measure.saved.choices import ChoiceRecorder


def cores() -> int:
    """Return how many runs this machine can do at a time."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One variant on one seed, and where its results go."""

    variant: str
    seed: int
    folder: Path | None = None
    """None to write nothing."""
    is_drawn: bool = False
    """Whether its pictures are written too."""


@dataclass(frozen=True, slots=True)
class Job:
    """Runs that are judged together, because expectations compare them: the chosen variants on one seed."""

    file: ScenarioFile
    runs: tuple[RunSpec, ...]
    is_extra: bool = False
    """Whether the seed is run only for the sake of expectations that are judged on many."""
    twice: bool = False
    """Whether to do each run a second time, which has to decide the same."""

    def __str__(self) -> str:
        """Name it in a message."""
        return f"{self.file.name}, seed {self.runs[0].seed}"


def jobs_of(
    file: ScenarioFile, selection: RunSelection, out: Path | None = None, *, twice: bool = False, plots: bool = False
) -> Iterator[Job]:
    """Yield a job for each seed of the selection; with a folder `out`, each run is written to its own below it.

    `twice` has each run done a second time, which has to decide the same, and `plots` the first seeds drawn.
    """
    for number in range(selection.seeds(file)):
        seeds = {variant: first + number for variant, first in selection.first_seeds(file).items()}
        yield Job(
            file,
            tuple(
                RunSpec(
                    variant,
                    seed,
                    None if out is None else run_folder(out, file.name, variant, seed),
                    is_drawn=plots and number == 0,
                )
                for variant, seed in seeds.items()
            ),
            is_extra=number >= selection.asked,
            twice=twice,
        )


class Watcher(Protocol):
    """Is told how a batch gets on. It observes each run in this process too, and so gets to know the run's clock."""

    def started(self, run: RunSpec) -> None:
        """Note which run begins next."""

    def begin(self, view: RunView) -> None:
        """Note that it begins now."""

    def done(self, runs: int) -> None:
        """Note that a job of so many runs is done."""


def run_batch(
    jobs: Sequence[Job], executor: Executor | None = None, watcher: Watcher | None = None
) -> Iterator[list[JudgedRun]]:
    """Yield the runs of each job, in the order of the jobs, whoever does them.

    Without an executor each job is done here, when its runs are asked for. Raises what a job raises, and WorkerDied if
    the process that did it is gone.
    """
    # What watches in this process cannot watch in another one.
    calls = [partial(do, job, watcher if executor is None else None) for job in jobs]
    for job, runs in zip(jobs, answers_in_order(calls, (f"ran {job}" for job in jobs), executor), strict=True):
        yield runs
        if watcher is not None:
            watcher.done(len(job.runs))


def do(job: Job, watcher: Watcher | None = None) -> list[JudgedRun]:
    """Run and judge the job, and write what it is to write. Raises CannotWrite, and NotTheSameRun if it runs twice."""
    run_one = _twice() if job.twice else run
    results: dict[str, RunResult] = {}
    choices = {one.variant: _choice_recorder() for one in job.runs if one.folder is not None}
    for one in job.runs:
        if watcher is not None:
            watcher.started(one)
        observers = [observer for observer in (watcher, choices.get(one.variant)) if observer is not None]
        results[one.variant] = run_one(job.file, one.variant, one.seed, observers)
    verdicts = [_on_its_own(verdict, job) for verdict in judge(job.file.expect, results)]
    judged = [judged_run(result, verdicts) for result in results.values()]
    pictures = pictures_of([results[one.variant] for one in job.runs if one.is_drawn])
    for one, kept in zip(job.runs, judged, strict=True):
        if one.folder is not None:
            # Here, because most runs are not written.
            from sim.measure.saved.run_folder import save_run

            counting = [verdict for verdict in kept.verdicts if verdict.counts]
            seen = choices[one.variant].finished()
            save_run(one.folder, results[one.variant], counting, seen, pictures=pictures.get(one.variant, {}))
    return judged


def _twice() -> "Callable[[ScenarioFile, str, int, Sequence[object]], RunResult]":
    # Here, because most runs are made once.
    from sim.study.run_twice import run_twice

    return run_twice


def _choice_recorder() -> "ChoiceRecorder":
    # Here, because most runs are not written.
    from sim.measure.saved.choices import ChoiceRecorder

    return ChoiceRecorder()


def _on_its_own(verdict: Verdict, job: Job) -> Verdict:
    """Return the verdict with the command that repeats it. It does not count on a seed that nobody asked for."""
    others = verdict.expectation.others if verdict.expectation is not None else ()
    variants = [one.variant for one in job.runs if one.variant in (verdict.variant, *others)]
    command = job.file.command(variants, next(one.seed for one in job.runs if one.variant == verdict.variant))
    return replace(verdict, command=command, counts=verdict.counts and not job.is_extra)


def judged_run(result: RunResult, verdicts: Sequence[Verdict]) -> JudgedRun:
    """Return what is kept of a run; of the verdicts, its own."""
    own = tuple(verdict for verdict in verdicts if verdict.variant == result.variant)
    return JudgedRun(result.variant, result.seed, result.digest, result.metrics, own)
