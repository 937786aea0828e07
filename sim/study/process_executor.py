"""Calls shared out among processes of this machine, which are gone when ours is, however it ends."""

import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pickle import PicklingError
from queue import Empty, SimpleQueue
from threading import Thread
from traceback import format_exception
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from sim.clean_up import cleaned_up_by, leave

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

_Task = tuple[Future[Any], tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]


class ProcessExecutor(Executor):
    """An executor whose workers are spawned, since a fork would copy locks that other threads hold.

    Each worker is joined to us by a pipe and nothing else, and leaves when that is closed. The semaphores of
    `ProcessPoolExecutor` outlive a process that ends within a signal's handler, and Python then complains of them.
    Leaving the block by an exception, or a signal that ends the process within it, stops the workers at once. A worker
    that is killed fails its own call with BrokenExecutor, one that exits with RuntimeError; with BrokenExecutor fail
    all calls that have not begun.
    """

    def __init__(self, max_workers: int, initializer: Callable[[], object] | None = None) -> None:
        self._max_workers = max_workers
        self._initializer = initializer
        self._waiting: SimpleQueue[_Task | None] = SimpleQueue()
        self._processes: list[SpawnProcess] = []
        self._threads: list[Thread] = []
        self._is_broken = False
        self._is_shut_down = False
        self._signals = ExitStack()

    def submit(self, fn: Callable[Given, Answer], /, *args: Given.args, **kwargs: Given.kwargs) -> Future[Answer]:
        """Have `fn` called in a worker; it, its arguments and its answer have to be picklable."""
        if self._is_shut_down:
            raise RuntimeError("the executor takes no more calls: it was shut down")
        future: Future[Answer] = Future()
        self._waiting.put((future, (fn, args, kwargs)))
        if len(self._processes) < self._max_workers:
            self._start_worker()
        if self._is_broken:
            self._fail_waiting()
        return future

    def terminate_workers(self) -> None:
        """Stop the workers at once."""
        for process in self._started():
            process.terminate()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the workers leave when nothing is left to call."""
        self._is_shut_down = True
        while cancel_futures and (task := self._next_waiting()) is not None:
            task[0].cancel()
        for _ in self._threads:
            self._waiting.put(None)
        if wait:
            for thread in self._threads:
                thread.join()
            for process in self._started():
                process.join()

    def __enter__(self) -> Self:
        """Have a signal that ends the process stop the workers first."""
        self._signals.enter_context(cleaned_up_by(self.terminate_workers))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the calls, unless an exception says that nobody wants them any more."""
        with self._signals:
            if kind is not None:
                self.terminate_workers()
            self.shutdown(cancel_futures=kind is not None)

    def _started(self) -> list[SpawnProcess]:
        """Return the workers but those that are about to start, or could not."""
        return [process for process in self._processes if process.pid is not None]

    def _start_worker(self) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._initializer), daemon=True)
        # Known before it is started, so that a signal meanwhile finds it.
        self._processes.append(process)
        process.start()
        theirs.close()  # The worker has its own; when that is gone, so is the worker.
        thread = Thread(target=self._lead, args=(process, ours), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _lead(self, process: SpawnProcess, pipe: Connection) -> None:
        """Hand one call after the other to a worker, as long as there are any and it lives."""
        with pipe:
            while (task := self._waiting.get()) is not None:
                future, call = task
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    _make(call, future, pipe)
                except (EOFError, ConnectionError):
                    future.set_exception(_end_of(process))
                    self._is_broken = True
                    self._fail_waiting()
                    return

    def _next_waiting(self) -> _Task | None:
        with suppress(Empty):
            return self._waiting.get_nowait()
        return None

    def _fail_waiting(self) -> None:
        while (task := self._next_waiting()) is not None:
            future, _ = task
            if future.set_running_or_notify_cancel():
                future.set_exception(BrokenExecutor("another worker is gone"))


def sharing_out(given: Executor | None, jobs: int) -> AbstractContextManager[Executor | None]:
    """Return the executor within a block: the given one, which outlives it, or one of `jobs` processes.

    None, for one job, has the work done here.
    """
    if given is not None or jobs <= 1:
        return nullcontext(given)
    return ProcessExecutor(jobs)


def _make(call: object, future: Future[Any], pipe: Connection) -> None:
    """Have a worker make the call. Raises EOFError or ConnectionError if the worker is gone."""
    try:
        pipe.send(call)
        succeeded, answer = pipe.recv()
    except (EOFError, ConnectionError):
        raise
    except Exception as error:  # The call cannot be sent, or its answer cannot be read.
        future.set_exception(error)
        return
    if succeeded:
        future.set_result(answer)
    else:
        future.set_exception(answer)


def _end_of(process: SpawnProcess) -> Exception:
    process.join()
    # Negative or from 128 on is the end by a signal, as Python and shells write it.
    if process.exitcode is not None and 0 < process.exitcode < 128:
        return RuntimeError(
            f"a worker process ended with exit code {process.exitcode}; what it wrote to standard error says why"
        )
    return BrokenExecutor("the worker was killed")


def _work(calls: Connection, initializer: Callable[[], object] | None) -> None:
    """Make the calls that come and send what comes of each. What happens here is what a worker process does."""
    # Ctrl-C reaches every process of the terminal, but the parent stops its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, leave)
    if initializer is not None:
        initializer()
    # When the parent is gone, nobody wants the rest.
    with suppress(EOFError, ConnectionError):
        while True:
            answer = _answer(*calls.recv())
            try:
                calls.send(answer)
            except (PicklingError, TypeError, AttributeError) as error:
                calls.send((False, error))


def _answer(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bool, Any]:
    """Return whether the call succeeded, and what it returned or raised."""
    try:
        return True, function(*args, **kwargs)
    except Exception as error:
        error.add_note("".join(format_exception(error)))  # The traceback itself cannot be sent.
        return False, error
