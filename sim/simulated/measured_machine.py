"""A machine whose costs were measured: the simulated twin of a live run has them too.

A live frontend is one event loop, which does one thing at a time. So a call that finds nobody before it takes what
such calls took alone; one that has to wait takes its share of what a crowd of such calls took. An answer may arrive
while the loop runs another task, and waits for the end of that step, so answers can overtake each other. All these
times are drawn from what was measured, so that the replications of one plan differ as live runs of it do.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sim.routing.clients import Serve
from sim.routing.errors import CallError
from sim.routing.policies.choose import Choose
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import MadeCall, passing_through
from sim.routing.registry import Registry
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from sim.scenario import ModelSpec, NodeSpec, ServiceLaw, service_law, stream
from sim.simulated.faults.interposed import InterposedDialer, interposed_worker
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.late_picks import LatePicks
from sim.simulated.registry.pick_modes import Hold

NO_TIME_NS = 100
"""So long may a transaction be put off, which changes nothing but its order among those of the same instant.

Of 80 picks that PostgreSQL 15 was asked for at once, over one row, the order in which they ended had nothing to do with
the order of the calls: Kendall's tau was -0.09 to 0.09 in six crowds. Of 32 to 39 statements that changed one row it
was 0.04 to 0.41: a new statement may take the row before those that wait for it. On SQLite it is always 1.
"""

_Turn = Callable[[], Awaitable[None]]
_Pick = Callable[[str, Choose], Awaitable[Replica | None]]
_Lock = Callable[[str], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class CallTimes:
    """How long calls of one kind keep a queue busy: times to draw from, in nanoseconds of the scenario."""

    alone_ns: Sequence[int]
    crowded_ns: Sequence[int]
    """Shares of a crowd's time."""


@dataclass(frozen=True, slots=True)
class MachineTimes:
    """All costs of a machine, in nanoseconds of the scenario."""

    is_one_queue: bool
    """Whether transactions and messages wait for each other: not where a database has a thread of its own."""
    wake_up: CallTimes
    """How late a client is that waits for its time."""
    statement: CallTimes
    """A transaction of one statement."""
    pick: CallTimes
    """A transaction that chooses a row and counts a request on it."""
    lock_taken_ns: Sequence[int]
    """Time from when an advisory lock is free until the next holder has it."""
    lock_freed_ns: Sequence[int]
    """How long giving it back takes, until the next one may take it."""
    message: CallTimes
    """One of the two halves of a call to a backend."""
    connect_ns: Sequence[int]
    """How much longer a frontend's first call to an address takes."""
    turnaround_ns: Sequence[int]
    """What a backend's worker needs for a request beside the request's own service time."""
    stop_ns: Sequence[int]
    """How long a process takes to end when it is told to."""
    late_picks: Sequence[float]
    """Parts of crowds of picks that began when the first pick of the crowd had ended; none where picks are serial."""


class MeasuredMachine:
    """Draws each cost from the measured times, for one run."""

    def __init__(self, times: MachineTimes, seed: int, slowness: float = 0.5) -> None:
        """Runs of the same plan with different seeds differ only in these draws.

        A machine is slow for a while rather than for a call. So the draws are from one half of each sample: the quicker
        half for a `slowness` of 0, the slower one for 1, the middle for 0.5. Samples are in ascending order.
        """
        self._times = times
        self._seed = seed
        self._slowness = slowness
        self._draw_for_workers = self._draws("workers").one_of
        self._queues: dict[tuple[int, str], _Queue] = {}

    def law_of(self, model: ModelSpec, node: NodeSpec) -> ServiceLaw:
        """Return the scenario's times with the turnaround added to the decode."""
        law, draw = service_law(model.service, node), self._draw_for_workers

        def with_turnaround(prompt_tokens: int, output_tokens: int, demand_ns: int) -> tuple[int, int]:
            prefill_ns, decode_ns = law(prompt_tokens, output_tokens, demand_ns)
            return prefill_ns, decode_ns + draw(self._times.turnaround_ns)

        return with_turnaround

    def hold_of_picks(self, frontend: int, runtime: SimulatedRuntime, _pick_ns: int) -> Hold:
        """Return the pick's turn: while it holds its row, the frontend does other things as well."""
        return partial(self._transactions(frontend, runtime).turn, self._times.pick)

    def around(self, frontend: int, runtime: SimulatedRuntime, ports: FrontendPorts) -> FrontendPorts:
        """Return ports whose calls take their turns."""
        draw, connected = self._draws(f"stops and connections by {frontend}").one_of, dict[str, None]()

        async def to_worker(_node: str, name: str, call: MadeCall) -> Any:
            if name == "stop":
                await runtime.sleep(draw(self._times.stop_ns))
            return await call()

        async def connect(address: str) -> None:
            if address not in connected:
                connected[address] = None
                await runtime.sleep(draw(self._times.connect_ns))

        message = partial(self._messages(frontend, runtime).turn, self._times.message)
        return replace(
            ports,
            registry=_registry_with(
                self._statements(frontend, runtime),
                ports.registry,
                pick=self._picks(frontend, runtime, ports.registry),
                lock=self._locks(frontend, runtime, ports.registry),
            ),
            dialer=InterposedDialer(ports.dialer, _there_and_back(connect, message)),
            worker=interposed_worker(ports.worker, to_worker),
        )

    def around_serve(self, frontend: int, runtime: SimulatedRuntime, serve: Serve) -> Serve:
        """Return an entrance that requests reach a little late."""
        messages, times = self._messages(frontend, runtime), self._times.wake_up

        async def serve_late(request: Request) -> None:
            await messages.turn(times)
            await serve(request)

        return serve_late

    def _picks(self, frontend: int, runtime: SimulatedRuntime, registry: Registry) -> _Pick:
        """Return what picks; it takes its turn while it holds its row."""
        if not self._times.is_one_queue:
            return registry.pick
        in_any_order = self._in_any_order(frontend, runtime, "picks")

        async def pick(model: str, choose: Choose) -> Replica | None:
            await in_any_order()
            return await registry.pick(model, choose)

        if not self._times.late_picks:
            return pick
        draws = stream(self._seed, "machine", f"picks of {frontend}", "late")
        late_picks = LatePicks(runtime, draws, self._times.late_picks)
        return lambda model, choose: late_picks.pick(partial(pick, model, choose))

    def _statements(self, frontend: int, runtime: SimulatedRuntime) -> _Turn:
        """Return the turn of a transaction of one statement."""
        turn = partial(self._transactions(frontend, runtime).turn, self._times.statement)
        if not self._times.is_one_queue:
            return turn
        in_any_order = self._in_any_order(frontend, runtime, "statements")

        async def turn_in_any_order() -> None:
            await in_any_order()
            await turn()

        return turn_in_any_order

    def _in_any_order(self, frontend: int, runtime: SimulatedRuntime, what: str) -> _Turn:
        """Return a wait that puts those that begin it at one instant in any order.

        Each of these transactions has its own connection and its own server process.
        """
        draws = stream(self._seed, "machine", f"{what} of {frontend}", "order")

        async def wait() -> None:
            await runtime.sleep(int(draws.integers(NO_TIME_NS)))

        return wait

    def _locks(self, frontend: int, runtime: SimulatedRuntime, registry: Registry) -> _Lock:
        """Return what takes advisory locks, each in the measured time."""
        draw = self._draws(f"locks of {frontend}").one_of

        @asynccontextmanager
        async def held(name: str) -> AsyncIterator[None]:
            async with registry.lock(name):
                await runtime.sleep(draw(self._times.lock_taken_ns))
                yield
                await runtime.sleep(draw(self._times.lock_freed_ns))

        return held

    def _transactions(self, frontend: int, runtime: SimulatedRuntime) -> "_Queue":
        return self._queue(frontend, "event loop" if self._times.is_one_queue else "transactions", runtime)

    def _messages(self, frontend: int, runtime: SimulatedRuntime) -> "_Queue":
        return self._queue(frontend, "event loop", runtime)

    def _queue(self, frontend: int, name: str, runtime: SimulatedRuntime) -> "_Queue":
        if (frontend, name) not in self._queues:
            draws = self._draws(f"{name} of {frontend}")
            self._queues[frontend, name] = _Queue(runtime, draws, self._times.message.crowded_ns)
        return self._queues[frontend, name]

    def _draws(self, purpose: str) -> "_Draws":
        return _Draws(stream(self._seed, "machine", purpose, "times"), self._slowness)


class _Draws:
    """Draws from samples."""

    def __init__(self, generator: np.random.Generator, slowness: float) -> None:
        self._generator = generator
        self._slowness = slowness

    def one_of(self, sample: Sequence[int]) -> int:
        """Return one of the values in the half to draw from, each with the same probability."""
        half = -(-len(sample) // 2)  # rounded up
        first = round(self._slowness * (len(sample) - half))
        return sample[first + int(self._generator.integers(half))]

    def part_of_one(self, sample: Sequence[int]) -> int:
        """Return a part of such a value, each with the same probability: from nothing to all of it."""
        return int(self._generator.integers(self.one_of(sample), endpoint=True))


class _Queue:
    """Does one thing at a time, first come, first served."""

    def __init__(self, runtime: SimulatedRuntime, draws: _Draws, steps_ns: Sequence[int]) -> None:
        """`steps_ns` are how long a step of the event loop may take."""
        self._runtime = runtime
        self._draws = draws
        self._steps_ns = steps_ns
        self._busy = FifoQueue(runtime, 1)

    async def turn(self, times: CallTimes) -> None:
        """Wait for the others, then for what the call takes, and then for the end of another task's step.

        So a call that ends later may go on earlier.
        """
        is_alone = self._busy.take_if_free()
        if not is_alone:
            await self._busy.wait()
        try:
            await self._runtime.sleep(self._draws.one_of(times.alone_ns if is_alone else times.crowded_ns))
        finally:
            self._busy.release()
        await self._runtime.sleep(self._draws.part_of_one(self._steps_ns))


def _registry_with(turn: _Turn, registry: Registry, *, pick: _Pick, lock: _Lock) -> Registry:
    async def statement(name: str, args: tuple[Any, ...], call: MadeCall) -> Any:
        # A count is given back 1 at a time.
        for _ in range(args[1] if name == "decrement" else 1):
            await turn()
        return await call()

    return passing_through(registry, Registry, statement, pick=pick, lock=lock)


def _there_and_back(
    connect: Callable[[str], Awaitable[None]], turn: _Turn
) -> Callable[[ReplicaKey, str, str, MadeCall], Awaitable[Any]]:
    async def call_backend(_key: ReplicaKey, address: str, _name: str, call: MadeCall) -> Any:
        await connect(address)
        await turn()
        try:
            answer = await call()
        except CallError:
            await turn()
            raise
        await turn()
        return answer

    return call_backend
