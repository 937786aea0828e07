"""The runs of a scenario file that its tests share: made when the first of them needs them, and once."""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from hashlib import blake2b
from pathlib import Path
from time import monotonic

from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun
from sim.measure.over_seeds import summed_up
from sim.scenario import Expectation, ScenarioFile
from sim.study.batch import Job, cores, do, jobs_of, run_batch
from sim.study.process_executor import sharing_out
from sim.study.selection import RunSelection

Runner = Callable[[Sequence[Job]], list[list[JudgedRun]]]
"""Does jobs, and returns the runs of each in their order."""


_ALONE_S = 2.0
"""About as long as other processes take to start."""


class FileRuns:
    """All variants of a scenario file on as many seeds as its expectations need, as `sim run` runs them."""

    def __init__(self, file: ScenarioFile, runner: Runner) -> None:
        self.file = file
        self._runner = runner
        self._jobs = list(jobs_of(file, RunSelection((), None)))
        self._done: list[list[JudgedRun]] = []
        """Of the first jobs, so many as were needed up to now."""

    def expectations(self, variant: str) -> list[Expectation]:
        """Return those that are about the variant, in the order of the file."""
        return [one for one in self.file.expect if one.is_about(variant)]

    def verdict(self, variant: str, place: int) -> Verdict:
        """Return how the variant stands to the expectation at that place of `expectations`; make the runs it needs."""
        over_seeds = self.expectations(variant)[place].is_judged_over_seeds
        self._need(len(self._jobs) if over_seeds else 1)
        return summed_up([run.verdicts[place] for run in self._runs(variant)])

    def digest(self, verdict: Verdict) -> str:
        """Return the digest of the run that the verdict is about, or of its worst seed."""
        return next(run.digest for run in self._runs(verdict.variant) if run.seed == verdict.shown_seed)

    def _runs(self, variant: str) -> list[JudgedRun]:
        return [run for of_job in self._done for run in of_job if run.variant == variant]

    def _need(self, jobs: int) -> None:
        missing = self._jobs[len(self._done) : jobs]
        if missing:
            self._done += self._runner(missing)


def run_here(jobs: Sequence[Job]) -> list[list[JudgedRun]]:
    """Do the jobs: in this process, and what is left after a while on all cores. Raises WorkerDied."""
    done: list[list[JudgedRun]] = []
    started_s = monotonic()
    while len(done) < len(jobs) and monotonic() - started_s < _ALONE_S:
        done.append(do(jobs[len(done)]))
    rest = jobs[len(done) :]
    with sharing_out(None, min(cores(), len(rest))) as executor:
        return [*done, *run_batch(rest, executor)]


@dataclass(frozen=True, slots=True)
class SharedRuns:
    """Does the jobs that no other process does, and takes the runs of the others from a folder that all of them know.

    So the workers of xdist share out the seeds of a scenario, whichever of them is given its tests.
    """

    folder: Path

    def __call__(self, jobs: Sequence[Job]) -> list[list[JudgedRun]]:
        """Return the runs of each job; those that others are making are waited for when nothing else is left to do."""
        done: dict[int, list[JudgedRun]] = {}
        for waits in (False, True):
            for place, job in enumerate(jobs):
                runs = None if place in done else self._runs(job, waits=waits)
                if runs is not None:
                    done[place] = runs
        return [done[place] for place in range(len(jobs))]

    def _runs(self, job: Job, *, waits: bool) -> list[JudgedRun] | None:
        """Return the runs of the job, made or read; None if another process makes them and we are not to wait."""
        key = f"{job.file.path.resolve()}: {[(run.variant, run.seed) for run in job.runs]}"
        path = self.folder / blake2b(key.encode(), digest_size=16).hexdigest()
        with path.with_suffix(".lock").open("w") as lock:
            try:
                # Ends with the process at the latest.
                flock(lock, LOCK_EX if waits else LOCK_EX | LOCK_NB)
            except BlockingIOError:
                return None
            if path.exists():
                known: list[JudgedRun] = pickle.loads(path.read_bytes())
                return known
            runs = do(job)
            unfinished = path.with_suffix(".new")
            unfinished.write_bytes(pickle.dumps(runs))
            unfinished.replace(path)
            return runs
