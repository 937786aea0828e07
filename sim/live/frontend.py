"""The router in a service of one's own: prompts in, answers out, over a SQL registry and gRPC backends."""

import asyncio
import time
from codecs import getincrementaldecoder
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from itertools import count
from random import Random
from types import TracebackType
from typing import Any, NamedTuple, Self

from sim.live.call import Call, CallNotes
from sim.live.loops import running
from sim.live.nodes.backend import GrpcDialer
from sim.live.nodes.no_workers import NoWorkers
from sim.live.proto.backend_pb2 import Reply
from sim.live.registry.connection import connect
from sim.live.registry.load_jobs import SqlLoadJobs
from sim.live.runtime import AsyncioRuntime
from sim.programs.at_work import Programs
from sim.routing.clients import Serve
from sim.routing.frontend import FrontendCore, build_frontend
from sim.routing.journal import FanOutJournal
from sim.routing.outcomes import Outcome
from sim.routing.policies.choose import Chooser
from sim.routing.policies.prefix.index import prefix_chain
from sim.routing.ports import Clock, FrontendPorts, Journal, WorkerControl
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.settings import ModelConfig
from sim.routing.units import NS_PER_S
from sim.scenario.policies.making import given_policy, make_policy
from sim.scenario.spec.control_plane import ControlPlaneSpec
from sim.scenario.spec.profiles import ProfileName
from sim.scenario.spec.router import RouterSpec

CLIENT_LEFT = "client_left"
"""The cause of a call that its caller cancelled."""

CLOSE_LIMIT_S = 10.0
"""How long running loads may take to clean up when a frontend closes."""


class NullJournal(Journal):
    """Ignores every event. A subclass overrides the ones it wants. No method may raise."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A prompt's answer."""

    text: str
    tokens: int
    """Output tokens as the backend counts them; 0 if it does not."""
    first_token_s: float | None
    """From the call to the first piece of the answer; None if it came in one piece."""
    total_s: float
    """From the call to the end of the answer, routing included."""
    replica: ReplicaKey
    """The replica that answered."""


class Frontend:
    """Routes prompts to the replicas in a registry, with the decisions that the simulator runs.

    Use it in `async with`; it belongs to that event loop. Any number of calls may be under way, and any number of
    frontends, in any processes, may share a registry. At the end of the block calls under way end with Unavailable.
    """

    def __init__(
        self,
        registry_url: str,
        profile: ProfileName = "fixed",
        *,
        router: Mapping[str, Any] | None = None,
        policy: object | None = None,
        worker: WorkerControl | None = None,
        needed_vram_bytes: Mapping[str, int] | None = None,
        models: Mapping[str, ModelConfig] | None = None,
        control_plane: Mapping[str, Any] | None = None,
        token: str | None = None,
        journal: Journal | None = None,
    ) -> None:
        """Keep the settings. Nothing is opened yet.

        Args:
            registry_url: `sqlite:///replicas.db` or `postgresql://user@host/database`; missing tables are created.
            profile: Where the router's settings come from.
            router: Differences from the profile, as under `router` in a scenario: `{"probe": {"ttl": "5s"}}`.
            policy: A function, a class or an object that picks the replica, in place of the router's policy.
            worker: Starts a process when no replica of a model is left. Without one such a call fails.
            needed_vram_bytes: Memory by model, for the placement of those processes; unknown fits anywhere.
            models: Everything about a model, by name, including labels, conflicts and bounds. It takes precedence
                over `needed_vram_bytes`.
            control_plane: Which loops to run, as under `control_plane` in a scenario; `{}` for all of them, None for
                none. Nodes must then send heartbeats: `registry.heartbeat`.
            token: Bearer token for every backend, sent in the clear.
            journal: Receives every decision.

        Raises:
            ValueError: The settings are not a router's, or not a control plane's, or the policy is none, or the router
                makes failed calls again.
        """
        self._registry_url = registry_url
        own = {} if policy is None else {"policy": given_policy(policy)}
        self._router = RouterSpec.model_validate({"profile": profile, **(router or {}), **own})
        if self._router.retry != "none":
            # Its caller may have read a part of the answer by then.
            raise ValueError(f"router.retry: found {self._router.retry}; allowed: none, as answers are streamed")
        self._worker = worker or NoWorkers()
        sized = {name: ModelConfig(name, vram_bytes=size) for name, size in (needed_vram_bytes or {}).items()}
        self._models = {**sized, **(models or {})}
        self._loops = None if control_plane is None else ControlPlaneSpec.model_validate(control_plane).settings()
        self._token = token
        self._journal: Journal = journal or Journal()
        self._runtime = _WallClockRuntime()
        self._connections_runtime = _WallClockRuntime()
        """Runs what must outlast the calls: transactions, and connections that are being closed."""
        self._lists_runtime = _WallClockRuntime()
        """Runs what keeps the frontend's own lists of replicas fresh."""
        self._next_id = count().__next__
        self._calls: dict[int, Call] = {}
        self._programs = Programs()
        self._at_end = AsyncExitStack()
        self._opened: _Opened | None = None

    async def __aenter__(self) -> Self:
        """Open the registry.

        Raises ValueError for a URL that is not understood, PolicyError if the policy cannot be made, and whatever the
        database raises.
        """
        journal, lasting = FanOutJournal([CallNotes(self._calls), self._journal]), self._connections_runtime
        async with AsyncExitStack() as opening:
            self._programs = opening.enter_context(Programs())
            registry = await opening.enter_async_context(
                connect(self._registry_url, lasting, pick=self._router.pick, lock_waited=self._journal.lock_waited)
            )
            dialer = GrpcDialer(lasting, self._journal, self._token, self._prompt, self._hear)
            opening.push_async_callback(dialer.close)
            ports = FrontendPorts(self._runtime, registry, dialer, self._worker, journal, self._lists_runtime)
            frontend = build_frontend(
                self._router.settings(), ports, self._models, self._loops, new_chooser=self._new_chooser
            )
            opening.push_async_callback(self._end_lists, frontend)
            opening.push_async_callback(self._end_calls)
            await opening.enter_async_context(running(frontend.loops))
            self._opened = _Opened(registry, frontend.serve)
            self._at_end = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End running calls, give back their counts, and close the connections."""
        await self._at_end.__aexit__(kind, error, trace)

    def _new_chooser(self, clock: Clock) -> Chooser:
        # Frontends of one service must not draw alike, or their choices would herd.
        return make_policy(self._router.policy, 0, clock, Random(), self._programs)

    @property
    def registry(self) -> SqlLoadJobs:
        """The table of replicas. `register_node`, `publish` and `remove` change what can be routed to."""
        return self._open().registry

    async def predict(self, model: str, prompt: str, max_tokens: int = 0) -> Completion:
        """Return the answer of the replica that the router chooses; `max_tokens` of 0 leaves its length to the backend.

        Raises the CallError that ended the call: NoReplica if no replica serves the model and none can be placed,
        LoadFailed or StillLoading if a load for it failed or takes long, Unavailable if the chosen replica went
        away, and so on. A failed call is not repeated. Cancelling a call frees the replica.
        """
        pieces: list[bytes] = []
        call = self._start(model, prompt, max_tokens, pieces.append)
        replica = await call.outcome()
        return Completion(
            text=b"".join(pieces).decode(errors="replace"),
            tokens=call.tokens,
            first_token_s=(call.first_ns - call.began_ns) / NS_PER_S if call.pieces > 1 else None,
            total_s=(self._runtime.now_ns() - call.began_ns) / NS_PER_S,
            replica=replica,
        )

    async def stream(self, model: str, prompt: str, max_tokens: int = 0) -> AsyncGenerator[str, None]:
        """Yield the answer piece by piece; otherwise as `predict`. A reader that leaves cancels the call."""
        pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        decoder = getincrementaldecoder("utf-8")(errors="replace")  # A piece may end within a character.
        call = self._start(model, prompt, max_tokens, pieces.put_nowait)
        call.task.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                if text := decoder.decode(piece):
                    yield text
            await call.outcome()
        finally:
            call.task.cancel()

    def _start(self, model: str, prompt: str, max_tokens: int, hear: Callable[[bytes], None]) -> Call:
        """Begin a call as a task of the frontend's own, so that it can end with the frontend."""
        opened, now_ns, chain = self._open(), self._runtime.now_ns(), prefix_chain(model, prompt.encode())
        # The prompt's tokens are not counted yet. Words are close enough for a worker that imitates their cost.
        request = Request(self._next_id(), model, 0, 0, now_ns, len(prompt.split()), max_tokens, chain=chain)

        def end(task: asyncio.Task[None]) -> None:
            del self._calls[request.id]
            # Reported here, because a task that is cancelled early enough never runs.
            if task.cancelled():
                self._journal.ended(request, Outcome.CANCELLED, CLIENT_LEFT)

        self._journal.arrived(request)
        task = self._runtime.spawn(opened.serve(request), f"request {request.id}")
        call = self._calls[request.id] = Call(task, prompt, hear, began_ns=now_ns)
        task.add_done_callback(end)
        return call

    async def _end_calls(self) -> None:
        """End the calls, and the loads that outlast them."""
        self._opened = None
        await self._runtime.end_all(CLOSE_LIMIT_S)

    async def _end_lists(self, frontend: FrontendCore) -> None:
        """Have the counts written that the registry has not heard of yet, unless it takes too long to answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await frontend.close()
        await self._lists_runtime.end_all(CLOSE_LIMIT_S)

    def _prompt(self, request: Request) -> str:
        return self._calls[request.id].prompt

    def _hear(self, request: Request, reply: Reply) -> None:
        self._calls[request.id].take(reply, self._runtime.now_ns())

    def _open(self) -> "_Opened":
        if self._opened is None:
            raise RuntimeError("the frontend is not open: use it within `async with Frontend(...) as frontend`")
        return self._opened


class _Opened(NamedTuple):
    registry: SqlLoadJobs
    serve: Serve


class _WallClockRuntime(AsyncioRuntime):
    """Dates rows by the time of day, because frontends on several machines share no other clock."""

    def wall_ns(self) -> int:
        """Return the time since 1970."""
        return time.time_ns()
