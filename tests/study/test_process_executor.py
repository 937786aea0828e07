"""Calls in processes of their own: an executor like any other, whose workers are gone when it is."""

import math
import operator
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from pickle import PicklingError

import pytest

from sim.study.process_executor import ProcessExecutor


def test_calls_are_made_in_other_processes_and_answered_in_order() -> None:
    with ProcessExecutor(2) as executor:
        process_ids = {executor.submit(os.getpid).result() for _ in range(3)}

        assert list(executor.map(math.factorial, range(6))) == [1, 1, 2, 6, 24, 120]

    assert os.getpid() not in process_ids


def test_an_initializer_runs_first_in_each_worker(tmp_path: Path) -> None:
    with ProcessExecutor(1, partial(os.chdir, tmp_path)) as executor:
        assert Path(executor.submit(os.getcwd).result()) == tmp_path.resolve()


def test_what_keeps_a_worker_from_starting_is_what_the_caller_hears_of() -> None:
    with pytest.raises((AttributeError, PicklingError), match="pickle"), ProcessExecutor(1, lambda: None) as executor:
        executor.submit(os.getpid)


def test_an_error_comes_back_with_its_traceback_and_the_worker_goes_on() -> None:
    with ProcessExecutor(1) as executor:
        failed, next_one = executor.submit(operator.truediv, 1, 0), executor.submit(math.factorial, 3)

        error = failed.exception()
        assert isinstance(error, ZeroDivisionError)
        assert "Traceback (most recent call last)" in "".join(error.__notes__)
        assert next_one.result() == 6


def test_an_error_of_a_connection_is_one_like_any_other() -> None:
    with ProcessExecutor(1) as executor:
        error = executor.submit(socket.create_connection, ("127.0.0.1", 1)).exception()

    assert isinstance(error, ConnectionRefusedError)


@pytest.mark.parametrize("call", [threading.Lock, lambda: None], ids=["answer", "call"])
def test_what_cannot_be_sent_fails_its_own_call_only(call: Callable[[], object]) -> None:
    with ProcessExecutor(1) as executor:
        unsent, next_one = executor.submit(call), executor.submit(math.factorial, 3)

        assert "pickle" in str(unsent.exception())
        assert next_one.result() == 6


def test_a_worker_that_is_killed_fails_its_call_and_all_that_have_not_begun() -> None:
    with ProcessExecutor(1) as executor:
        doomed = executor.submit(signal.raise_signal, signal.SIGKILL)
        waiting = executor.submit(os.getpid)

        assert isinstance(doomed.exception(), BrokenExecutor)
        assert isinstance(waiting.exception(), BrokenExecutor)
        assert isinstance(executor.submit(os.getpid).exception(), BrokenExecutor)


def test_a_worker_that_exits_says_so() -> None:
    with ProcessExecutor(1) as executor:
        error = executor.submit(os._exit, 1).exception()

    assert str(error) == "a worker process ended with exit code 1; what it wrote to standard error says why"


def test_an_exception_that_leaves_the_block_stops_the_workers_and_what_waits() -> None:
    with suppress(KeyError), ProcessExecutor(1) as executor:
        running, waiting = executor.submit(time.sleep, 3600), executor.submit(os.getpid)
        raise KeyError

    assert running.done()
    assert waiting.done()


def test_no_call_is_taken_after_the_end() -> None:
    with ProcessExecutor(1) as executor:
        pass

    with pytest.raises(RuntimeError, match="takes no more calls"):
        executor.submit(os.getpid)
