"""Jobs done one after the other here, or shared out among worker processes."""

import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import active_children, get_context
from multiprocessing.connection import Connection
from traceback import format_exception

from sim.cli.process.exits import WorkerDied
from sim.cli.process.interruption import cleaned_up_by, leave_on_signals
from sim.cli.work import Figures, Job, Watcher, do


def do_all(jobs: Sequence[Job], processes: int, watcher: Watcher) -> Generator[list[Figures]]:
    """Yield the figures of each job, in the order of the jobs, however many processes work on them.

    Raises what a job raises, and WorkerDied if a process was killed.
    """
    if processes == 1 or len(jobs) == 1:
        for job in jobs:
            yield do(job, watcher)
            watcher.done()
        return
    with _started_workers(jobs, min(processes, len(jobs))) as answers:
        for number, job in enumerate(jobs):
            yield _answer(answers[number % len(answers)], job)
            watcher.done()


@contextmanager
def _started_workers(jobs: Sequence[Job], count: int) -> Iterator[list[Connection]]:
    """Deal the jobs out to processes, each of which answers in order. They are stopped when the block is left.

    Pipes alone join them to us: a pool has locks and threads, which do not survive a signal at a bad moment.
    """
    with cleaned_up_by(_stop_workers):
        try:
            yield [_started(jobs[first::count]) for first in range(count)]
        finally:
            _stop_workers()


def _started(jobs: Sequence[Job]) -> Connection:
    # Spawned, since a fork would copy locks that other threads hold.
    context = get_context("spawn")
    answers, sender = context.Pipe(duplex=False)
    context.Process(target=_work, args=(jobs, sender), daemon=True).start()
    sender.close()  # The worker has its own; when that is gone, so is the worker.
    return answers


def _answer(answers: Connection, job: Job) -> list[Figures]:
    try:
        answer: list[Figures] | Exception = answers.recv()
    except EOFError:
        raise WorkerDied(f"the process that ran {job} was killed, perhaps out of memory") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _stop_workers() -> None:
    for process in active_children():
        process.terminate()


def _work(jobs: Sequence[Job], answers: Connection) -> None:
    """Do the jobs and send what comes of each. What happens here is what a worker process does."""
    # Ctrl-C reaches every process of the terminal, but the parent stops its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_on_signals(message=b"")
    with suppress(BrokenPipeError):  # The parent is gone, and nobody wants the rest.
        for job in jobs:
            try:
                answers.send(do(job))
            except BrokenPipeError:
                raise
            except Exception as error:
                error.add_note("".join(format_exception(error)))  # The traceback itself cannot be sent.
                answers.send(error)
