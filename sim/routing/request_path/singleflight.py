"""At most one call per key at a time: whoever asks meanwhile shares its answer.

There are two ways to own the shared call. In `LeaderOwnedFlight` the first caller runs it, as in Go's singleflight:
when that caller leaves, the call dies and all who joined get the failure. In `DetachedFlight` the call is a task of its
own, which no caller can end. In both, every joiner waits for a future of its own, so that one who leaves disturbs
nobody.
"""

from collections.abc import Awaitable, Callable, Generator
from contextvars import ContextVar, copy_context
from types import coroutine
from typing import Any, Protocol, TypeVar

from sim.routing.errors import CallError
from sim.routing.ports import Future, Runtime

T = TypeVar("T")
SharedCall = Callable[[], Awaitable[T]]


class FlightFailed(CallError):
    """The shared call raised, or ended because the caller that ran it left."""


class ReentrantFlight(RuntimeError):
    """A shared call asked for its own key, and would wait for itself for ever."""


class Singleflight(Protocol):
    """Shares one call per key among the callers that ask while it runs."""

    def is_under_way(self, key: str) -> bool:
        """Return whether the next caller would join a call."""

    async def do(self, key: str, call: SharedCall[T]) -> T:
        """Return the call's answer, or raise FlightFailed or the call's own error.

        Raises ReentrantFlight if asked from within the key's own call.
        """


_within_flights: ContextVar[tuple["_Flight", ...]] = ContextVar("flights that the running code is part of", default=())


class _Flight:
    """One call that runs, and those who wait for it in the order in which they joined."""

    __slots__ = ("_next_seat", "_seats")

    def __init__(self) -> None:
        self._seats: dict[int, Future[Any]] = {}
        self._next_seat = 0

    def seat(self, key: str, answer: Future[Any]) -> int:
        """Join, and return the seat to wait in."""
        if self in _within_flights.get():
            raise ReentrantFlight(f"the call for {key!r} asks for {key!r} itself")
        self._next_seat += 1
        self._seats[self._next_seat] = answer
        return self._next_seat

    async def wait(self, seat: int) -> Any:
        """Return the answer; a caller that leaves earlier frees its seat."""
        try:
            return await self._seats[seat]
        finally:
            del self._seats[seat]

    @coroutine
    def run(self, call: SharedCall[T]) -> Generator[Any, Any, Any]:
        """Make the call, in a context that is marked so that nothing in it can join its own flight."""
        context = copy_context()
        context.run(_within_flights.set, (*_within_flights.get(), self))
        work = _made(call)
        move, value = work.send, None
        while True:
            try:
                wait = context.run(move, value)
            except StopIteration as stop:
                return stop.value
            try:
                move, value = work.send, (yield wait)
            except BaseException as error:
                move, value = work.throw, error

    def deliver(self, result: object) -> None:
        """Give everyone the result, in the order in which they joined."""
        for seat in self._seats.values():
            if not seat.done():
                seat.set_result(result)

    def fail(self, key: str, error: BaseException) -> None:
        """Give everyone an error of their own that names the cause."""
        for seat in self._seats.values():
            if not seat.done():
                seat.set_exception(FlightFailed(f"the shared call for {key!r} ended with {error!r}"))


async def _made(call: SharedCall[T]) -> T:
    return await call()


class UnsharedCalls:
    """No sharing: every caller makes its own call."""

    __slots__ = ()

    def is_under_way(self, key: str) -> bool:
        """Return False: nobody can join."""
        return False

    async def do(self, key: str, call: SharedCall[T]) -> T:
        """Make the call."""
        return await call()


class _SharedFlights:
    """The calls that run now, by key: what both ways of owning a call have in common."""

    __slots__ = ("_runtime", "_under_way")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._under_way: dict[str, _Flight] = {}

    def is_under_way(self, key: str) -> bool:
        """Return whether the next caller would join a call."""
        return key in self._under_way

    def _take_off(self, key: str) -> _Flight:
        flight = self._under_way[key] = _Flight()
        return flight

    async def _run(self, key: str, flight: _Flight, call: SharedCall[T]) -> T:
        try:
            result: T = await flight.run(call)
        except BaseException as error:
            del self._under_way[key]
            flight.fail(key, error)
            raise
        del self._under_way[key]
        flight.deliver(result)
        return result


class LeaderOwnedFlight(_SharedFlights):
    """The first caller runs the call itself: if it leaves, all who joined fail. Faithful to Go's singleflight."""

    __slots__ = ()

    async def do(self, key: str, call: SharedCall[T]) -> T:
        """Join the call under way, or make it and share it."""
        flight = self._under_way.get(key)
        if flight is not None:
            joined: T = await flight.wait(flight.seat(key, self._runtime.future()))
            return joined
        return await self._run(key, self._take_off(key), call)


class DetachedFlight(_SharedFlights):
    """The call is a task of its own: it finishes whoever leaves, and its answer still updates the cache."""

    __slots__ = ()

    async def do(self, key: str, call: SharedCall[T]) -> T:
        """Join the call under way, started first if there is none."""
        flight = self._under_way.get(key)
        if flight is not None:
            seat = flight.seat(key, self._runtime.future())
        else:
            flight = self._take_off(key)
            # Take a seat before the call starts: if it answers at once, its first caller must be waiting.
            seat = flight.seat(key, self._runtime.future())
            self._runtime.spawn(self._run_unattended(key, flight, call), f"flight {key}")
        answer: T = await flight.wait(seat)
        return answer

    async def _run_unattended(self, key: str, flight: _Flight, call: SharedCall[T]) -> None:
        try:
            await self._run(key, flight, call)
        except Exception:
            # Every caller has been told; there is nobody else to raise it to.
            return
