"""Work that goes on when its caller leaves."""

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from sim.routing.errors import CallError
from sim.routing.loading.broadcast import Signal
from sim.routing.ports import Runtime

T = TypeVar("T")


def ignore(_result: object) -> None:
    """Take no notice of a result that nobody waits for."""


async def outlasting(runtime: Runtime, work: Coroutine[Any, Any, T], when_left: Callable[[T], None] = ignore) -> T:
    """Return or raise what the work does. If the caller leaves, the work goes on, and `when_left` gets its result.

    A CallError that nobody waits for is forgotten.
    """
    under_way = _UnderWay(runtime, when_left)
    runtime.spawn(under_way.run(work), "outlasting")
    return await under_way.outcome()


class _UnderWay(Generic[T]):
    __slots__ = ("_error", "_is_awaited", "_over", "_result", "_when_left")

    def __init__(self, runtime: Runtime, when_left: Callable[[T], None]) -> None:
        self._when_left = when_left
        self._over = Signal(runtime)
        self._result: list[T] = []
        self._error: Exception = CallError("the work was cancelled")
        self._is_awaited = True

    async def run(self, work: Coroutine[Any, Any, T]) -> None:
        """Do the work, and tell how it ended to whoever is there."""
        try:
            self._result.append(await work)
        except Exception as error:
            if not self._is_awaited and not isinstance(error, CallError):
                raise
            self._error = error
        finally:
            self._over.give()
        self._tell_if_left()

    async def outcome(self) -> T:
        """Wait for the end of the work."""
        try:
            await self._over.wait()
        except BaseException:
            self._is_awaited = False
            self._tell_if_left()
            raise
        if not self._result:
            raise self._error
        return self._result[0]

    def _tell_if_left(self) -> None:
        if not self._is_awaited:
            for result in self._result:
                self._when_left(result)
