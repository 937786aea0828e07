"""A cold load for one request, where no job can be claimed."""

from collections.abc import Callable, Coroutine
from typing import Any

from sim.routing.errors import CallError
from sim.routing.loading.broadcast import Signal
from sim.routing.ports import Runtime
from sim.routing.request_path.route import Route


class JoblessLoad:
    """A load for one request, without a job; it goes on if the request leaves.

    The new row counts the request as in flight from the start, so the reservation is released if the request has left.
    """

    __slots__ = ("_is_awaited", "_outcome", "_over", "_runtime")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._outcome: Route | CallError = CallError("the load was cancelled")
        self._over = Signal(runtime)
        self._is_awaited = True

    async def route(self, load: Callable[[], Coroutine[Any, Any, Route]]) -> Route:
        """Return the route to the loaded replica, or raise the CallError that the load ended with."""
        self._runtime.spawn(self._run(load), "load without a job")
        try:
            await self._over.wait()
        except BaseException:
            self._is_awaited = False
            self._release_if_left()
            raise
        if isinstance(self._outcome, CallError):
            raise self._outcome
        return self._outcome

    async def _run(self, load: Callable[[], Coroutine[Any, Any, Route]]) -> None:
        try:
            self._outcome = await load()
        except CallError as error:
            self._outcome = error
        finally:
            self._over.give()
        self._release_if_left()

    def _release_if_left(self) -> None:
        if not self._is_awaited and isinstance(self._outcome, Route):
            self._outcome.release()
