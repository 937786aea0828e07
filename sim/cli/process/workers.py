"""The processes that a command shares its runs out among."""

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext

from sim.study.batch import Job, cores


def processes_for(jobs: Sequence[Job], wanted: int | None = None) -> int:
    """Return how many jobs to do at a time: as the user says, or all cores for expectations over seeds."""
    if wanted is None:
        wanted = cores() if any(job.is_extra for job in jobs) else 1
    return min(wanted, len(jobs))


def workers(processes: int) -> AbstractContextManager[Executor | None]:
    """Return what shares the runs out, or None to do them here."""
    if processes == 1:
        return nullcontext()
    # Here, because most commands do without multiprocessing.
    from sim.study.process_executor import ProcessExecutor

    return ProcessExecutor(processes)
