"""Transactions that survive the cancellation of their caller, and work that nobody waits for.

To cancel a running statement would cost its connection and leave open whether a commit took effect. So each transaction
runs as a task of its own. If its caller leaves, it is rolled back, or undone if it has committed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from asyncpg import InterfaceError, PostgresError  # type: ignore[import-untyped]
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sim.routing.errors import NotCommitted, Unavailable
from sim.routing.ports import Runtime

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]
"""The statements of one transaction; it may roll back itself, and must not commit."""

DATABASE_ERRORS = (SQLAlchemyError, PostgresError, InterfaceError, OSError)
"""Errors of a database that does not answer as it should."""

DRAIN_LIMIT_S = 10.0
"""How long to wait at the end for a database that does not answer."""

CANCEL_LIMIT_S = 1.0
"""How long cancelled work may then take to return its connection."""

_log = logging.getLogger(__name__)


class LiveRuntime(Runtime, Protocol):
    """A runtime on asyncio."""

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]: ...

    def future(self) -> asyncio.Future[Any]: ...


@dataclass(slots=True)
class _Call(Generic[T]):
    """A caller's wait for a transaction, and what undoes a result that the caller never sees."""

    answer: asyncio.Future[T]
    undo: Callable[[T], None]
    has_left: bool = False
    committed: tuple[T] | None = None

    def is_waiting(self) -> bool:
        return not self.answer.done()

    def succeed(self, result: T) -> None:
        if self.has_left:
            self.undo(result)
            return
        # The caller may be cancelled after the result is set and before it runs again.
        self.committed = (result,)
        if self.is_waiting():
            self.answer.set_result(result)

    def fail(self, error: Exception) -> None:
        if self.is_waiting():
            self.answer.set_exception(error)
        else:
            _log.warning("a transaction failed after its caller had left: %s", error)

    def leave(self) -> None:
        self.has_left = True
        if self.committed is not None:
            self.undo(*self.committed)


def _keep(_: object) -> None: ...


class Transactions:
    """Runs transactions on a database, each on a connection of the engine's pool."""

    def __init__(self, engine: AsyncEngine, runtime: LiveRuntime) -> None:
        self.count = 0
        """Number of transactions begun."""
        self.engine = engine
        self._runtime = runtime
        self._under_way: set[asyncio.Task[Any]] = set()

    async def run(self, work: Work[T], undo: Callable[[T], None] = _keep) -> T:
        """Return what the work returns, once it is committed.

        `undo` is called with a result that was committed for a caller that has left. Raises Unavailable if the database
        does not answer as it should, and of those NotCommitted if that was before the commit.
        """
        self.count += 1
        call = _Call[T](self._runtime.future(), undo)
        self.start(self._carry_out(work, call), "transaction")
        try:
            return await call.answer
        except BaseException:
            call.leave()
            raise

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run the coroutine on its own; `drain` waits for it."""
        task = self._runtime.spawn(work, name)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def drain(self) -> None:
        """Wait until nothing is running. Work that takes longer than DRAIN_LIMIT_S is cancelled and rolled back."""
        try:
            async with asyncio.timeout(DRAIN_LIMIT_S):
                while self._under_way:
                    await asyncio.wait(self._under_way)
        except TimeoutError:
            _log.warning("%d transactions were not finished within %s s", len(self._under_way), DRAIN_LIMIT_S)
        finally:
            for task in self._under_way:
                task.cancel()
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=CANCEL_LIMIT_S)

    async def _carry_out(self, work: Work[T], call: _Call[T]) -> None:
        failed: type[Unavailable] = NotCommitted
        try:
            async with self.engine.connect() as connection:
                if not call.is_waiting():
                    return
                result = await work(connection)
                if not call.is_waiting():
                    return  # Closing the connection without a commit rolls back.
                failed = Unavailable  # A commit that breaks off may have taken effect all the same.
                await connection.commit()
        except DATABASE_ERRORS as error:
            call.fail(_did_not_answer(error, failed))
        except Exception as error:
            call.fail(error)
        except BaseException:
            call.answer.cancel()
            raise
        else:
            call.succeed(result)


class AnsweredLock(AbstractAsyncContextManager[T]):
    """A lock in the database. If the database does not answer, Unavailable is raised."""

    def __init__(self, lock: AbstractAsyncContextManager[T]) -> None:
        self._lock = lock

    async def __aenter__(self) -> T:
        try:
            return await self._lock.__aenter__()
        except DATABASE_ERRORS as error:
            raise _did_not_answer(error, Unavailable) from error

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock. A broken session has released it already."""
        try:
            await self._lock.__aexit__(kind, error, trace)
        except DATABASE_ERRORS as failure:
            _log.warning("a lock was lost before it was released: %s", failure)


def _did_not_answer(error: Exception, kind: type[Unavailable]) -> Unavailable:
    return kind(f"the registry did not answer: {error}")
