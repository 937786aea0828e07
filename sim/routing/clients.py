"""Clients: they send requests as planned, wait for the answer, and may give up waiting."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Protocol

from sim.routing.errors import DeadlineExceeded
from sim.routing.outcomes import Outcome
from sim.routing.ports import Journal, Runtime
from sim.routing.request import Request

PlannedRequest = tuple[int, int, int, int, int, int, int]
"""Of one request: arrival_ns, source, frontend, model, prompt_tokens, output_tokens, demand_ns."""

Serve = Callable[[Request], Coroutine[Any, Any, None]]
"""Takes a request from its arrival to its outcome."""


class PlannedCall(Protocol):
    """What a user does next: think, then send a request of this size."""

    @property
    def think_ns(self) -> int:
        """Pause since the last answer."""

    @property
    def prompt_tokens(self) -> int:
        """Length of the prompt."""

    @property
    def output_tokens(self) -> int:
        """Length of the answer."""

    @property
    def demand_ns(self) -> int:
        """Service time where it is drawn, else 0."""


class User(Protocol):
    """A client that waits for the end of each request, then thinks, then sends the next."""

    source: int
    frontend: int
    model: int
    start_ns: int
    stop_ns: int

    def next_call(self) -> PlannedCall:
        """Return what comes next."""


class Clients:
    """Sends the requests of all clients to one or more frontends, numbered in the order of arrival."""

    def __init__(
        self,
        runtime: Runtime,
        journal: Journal,
        frontends: Mapping[int, Serve],
        models: Sequence[str],
        patience_ns: Sequence[int | None],
    ) -> None:
        """Frontends, models and workloads go by index. `patience_ns` is per workload; None waits for ever."""
        self._runtime = runtime
        self._journal = journal
        self._frontends = frontends
        self._models = models
        self._patience_ns = patience_ns
        self._next_id = count().__next__

    async def send_as_planned(self, requests: Iterable[PlannedRequest]) -> None:
        """Send every request at its time, whether or not the earlier ones have ended."""
        runtime, patience_ns, models, next_id = self._runtime, self._patience_ns, self._models, self._next_id
        for arrival_ns, source, frontend, model, prompt_tokens, output_tokens, demand_ns in requests:
            delay_ns = arrival_ns - runtime.now_ns()
            if delay_ns > 0:
                await runtime.sleep(delay_ns)
            request = Request(
                next_id(),
                models[model],
                frontend,
                source,
                arrival_ns,
                prompt_tokens,
                output_tokens,
                demand_ns,
                patience_ns[source],
            )
            runtime.spawn(self._call(request), "request")

    async def take_turns(self, user: User) -> None:
        """Let the user think, send a request and wait for its end, again and again until the user's time is over."""
        await self._runtime.sleep(user.start_ns)
        while True:
            call = user.next_call()
            await self._runtime.sleep(call.think_ns)
            now_ns = self._runtime.now_ns()
            if now_ns >= user.stop_ns:
                return
            await self._call(
                Request(
                    self._next_id(),
                    self._models[user.model],
                    user.frontend,
                    user.source,
                    now_ns,
                    call.prompt_tokens,
                    call.output_tokens,
                    call.demand_ns,
                    self._patience_ns[user.source],
                )
            )

    def send_now(
        self,
        model: str,
        frontend: int,
        source: int,
        prompt_tokens: int = 0,
        output_tokens: int = 0,
        demand_ns: int = 0,
        patience_ns: int | None = None,
    ) -> tuple[int, Coroutine[Any, Any, None]]:
        """Send a request that was not planned, now; return its number, and a coroutine that waits for its end."""
        request = Request(
            self._next_id(),
            model,
            frontend,
            source,
            self._runtime.now_ns(),
            prompt_tokens,
            output_tokens,
            demand_ns,
            patience_ns,
        )
        return request.id, self._call(request)

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
