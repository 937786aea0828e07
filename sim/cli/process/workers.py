"""The processes that a command shares its runs out among."""

from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext


def workers(processes: int) -> AbstractContextManager[Executor | None]:
    """Return what shares the runs out, or None to do them here."""
    if processes == 1:
        return nullcontext()
    # Here, because most commands do without multiprocessing.
    from sim.study.process_executor import ProcessExecutor

    return ProcessExecutor(processes)
