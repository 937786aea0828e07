"""Calls made here or by the processes of an executor, and their answers in order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor
from typing import TypeVar

from sim.study.errors import WorkerDied

Answer = TypeVar("Answer")


def answers_in_order(
    calls: Sequence[Callable[[], Answer]], tasks: Iterable[str], executor: Executor | None
) -> Iterator[Answer]:
    """Yield what each call returns; without an executor, a call is made here when its answer is asked for.

    `tasks` says what each call does, such as "ran a.yaml". Raises what a call raises, and WorkerDied if its process is
    gone.
    """
    answers = calls if executor is None else [executor.submit(call).result for call in calls]
    for answer, task in zip(answers, tasks, strict=True):
        try:
            answered = answer()
        except BrokenExecutor as error:
            raise WorkerDied(f"the process that {task} was killed, perhaps out of memory") from error
        yield answered
