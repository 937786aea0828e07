"""Clients: they send requests as planned, wait for the answer, and may give up waiting."""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Any, NamedTuple

from sim.routing.errors import DeadlineExceeded
from sim.routing.outcomes import Outcome
from sim.routing.ports import Journal, Runtime
from sim.routing.request import Request
from sim.routing.units import NS_PER_S

Serve = Callable[[Request], Coroutine[Any, Any, None]]
"""Takes a request from its arrival to its outcome."""


class TooManyRequests(Exception):
    """Clients whose requests fail at once send them again at once, and so without an end."""


class Turn(NamedTuple):
    """What a user does next: think, then send the request."""

    think_ns: int
    """Pause since the end of the last request."""
    request: Request
    """It arrives when the user has thought."""


@dataclass(frozen=True, slots=True)
class User:
    """A client that waits for the end of each request, then thinks, then sends the next."""

    frontend: int
    """Index of the frontend that takes the user's requests."""
    start_ns: int
    """When the user begins to think for the first time."""
    stop_ns: int
    """The user sends nothing from here on."""
    turns: Iterator[Turn]
    """Without an end."""


class Clients:
    """Sends the requests of all clients to one or more frontends, numbered in the order of arrival."""

    def __init__(
        self, runtime: Runtime, journal: Journal, frontends: Mapping[int, Serve], most_requests: float = inf
    ) -> None:
        """`frontends` go by index. Of requests that nobody planned, the one that would exceed the most is refused."""
        self._runtime = runtime
        self._journal = journal
        self._frontends = frontends
        self._next_id = count().__next__
        self._most_requests = most_requests

    async def send_as_planned(self, requests: Iterable[Request]) -> None:
        """Send every request at its time, whether or not the earlier ones have ended."""
        runtime, next_id = self._runtime, self._next_id
        for request in requests:
            delay_ns = request.arrival_ns - runtime.now_ns()
            if delay_ns > 0:
                await runtime.sleep(delay_ns)
            request.id = next_id()
            runtime.spawn(self._call(request), "request")

    async def take_turns(self, user: User) -> None:
        """Let the user think, send a request and wait for its end, again and again until the user's time is over."""
        await self._runtime.sleep(user.start_ns)
        for think_ns, request in user.turns:
            await self._runtime.sleep(think_ns)
            if self._runtime.now_ns() >= user.stop_ns:
                return
            await self.send_now(request)

    def send_now(self, request: Request) -> Coroutine[Any, Any, None]:
        """Number the request, have it arrive now, and return what waits for its end.

        Raises TooManyRequests.
        """
        request.id, request.arrival_ns = self._next_id(), self._runtime.now_ns()
        if request.id >= self._most_requests:
            raise TooManyRequests(
                f"workload[{request.source}] would send a request too many at {request.arrival_ns / NS_PER_S:,} s; "
                f"allowed: {self._most_requests:,} in all; a request that fails at once is sent again at once, so give "
                "its users a time to think"
            )
        return self._call(request)

    def _call(self, request: Request) -> Coroutine[Any, Any, None]:
        """Record the arrival now, and return a coroutine that waits for the end."""
        self._journal.arrived(request)
        serving = self._frontends[request.frontend](request)
        if request.patience_ns is None:
            return serving
        return self._wait_patiently(request, request.patience_ns, serving)

    async def _wait_patiently(self, request: Request, patience_ns: int, serving: Coroutine[Any, Any, None]) -> None:
        try:
            await self._runtime.within(patience_ns, serving)
        except DeadlineExceeded:
            self._journal.ended(request, Outcome.CANCELLED, "client_left")
