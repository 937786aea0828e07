"""The locks of one frontend, first come, first served: held by one, or shared by several."""

from collections import deque
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType

from sim.routing.ports import FrontendPorts, Future, Journal, Runtime
from sim.routing.request import Request


@dataclass(slots=True, eq=False)
class _Waiter:
    turn: Future[None]
    shares: bool
    has_come: bool = False


class FairLock:
    """A lock that is handed over in the order of arrival, so that a later sharer waits behind an exclusive waiter."""

    __slots__ = ("_is_exclusive", "_sharers", "_waiting")

    def __init__(self) -> None:
        self._is_exclusive = False
        self._sharers = 0
        self._waiting: deque[_Waiter] = deque()

    async def acquire(self, runtime: Runtime, *, shares: bool) -> None:
        """Take the lock when it is this caller's turn. A caller that leaves while it waits gives up its turn."""
        if not self._waiting and self._is_open(shares):
            self._enter(shares)
            return
        waiter = _Waiter(runtime.future(), shares)
        self._waiting.append(waiter)
        try:
            await waiter.turn
        except BaseException:
            if waiter.has_come:
                self.release(shares=shares)
            else:
                self._waiting.remove(waiter)
                self._let_in()
            raise

    def release(self, *, shares: bool) -> None:
        """Release the lock, and let the next waiters in."""
        if shares:
            self._sharers -= 1
        else:
            self._is_exclusive = False
        self._let_in()

    def _is_open(self, shares: bool) -> bool:
        return not self._is_exclusive and (shares or not self._sharers)

    def _enter(self, shares: bool) -> None:
        if shares:
            self._sharers += 1
        else:
            self._is_exclusive = True

    def _let_in(self) -> None:
        while self._waiting and self._is_open(self._waiting[0].shares):
            waiter = self._waiting.popleft()
            waiter.has_come = True
            self._enter(waiter.shares)
            if not waiter.turn.done():
                waiter.turn.set_result(None)


class Held(AbstractAsyncContextManager[None]):
    """One request's use of a lock, from `async with` to its end; the journal is told of both."""

    __slots__ = ("_journal", "_lock", "_name", "_request", "_runtime", "_shares")

    def __init__(self, ports: FrontendPorts, lock: FairLock, name: str, request: Request, *, shares: bool) -> None:
        self._runtime: Runtime = ports.runtime
        self._journal: Journal = ports.journal
        self._lock = lock
        self._name = name
        self._request = request
        self._shares = shares

    async def __aenter__(self) -> None:
        await self._lock.acquire(self._runtime, shares=self._shares)
        self._journal.lock_taken(self._request, self._name)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.lock_released(self._request, self._name)
        self._lock.release(shares=self._shares)
