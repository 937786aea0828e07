"""Ports with something put between a frontend and its world: each call goes through it.

A fault of a port is then one function: it may make the call, delay it, drop it, or fail in its place.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

from sim.routing.errors import CallError
from sim.routing.fleet import Cooldown, Fleet, NodeFacts, NodeReport, ReplicaRow
from sim.routing.load_jobs import LoadJob, LoadJobs, LoadState
from sim.routing.ports import Backend, Dialer, RunningProcess, Runtime, WorkerControl
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from sim.routing.states import NodeStatus, RowState

T = TypeVar("T")
Call = Callable[[], Awaitable[Any]]

AroundRegistry = Callable[[str, Call], Awaitable[Any]]
"""Given the name of a registry's method and the call itself."""

AroundBackend = Callable[[ReplicaKey, str, str, Call], Awaitable[Any]]
"""Given the replica, the address, the name of the client's method and the call itself."""

AroundWorker = Callable[[str, str, Call], Awaitable[Any]]
"""Given the node, the name of the worker's method and the call itself."""


class InterposedRegistry:
    """A registry with something in between."""

    def __init__(self, runtime: Runtime, registry: LoadJobs, around: AroundRegistry) -> None:
        self._runtime = runtime
        self._registry = registry
        self._around = around

    async def pick(
        self, model: str, candidates: Collection[str] = (), preferred: ReplicaKey | None = None
    ) -> Replica | None:
        """Choose a row and count the request on it."""
        replica: Replica | None = await self._around("pick", lambda: self._registry.pick(model, candidates, preferred))
        return replica

    async def increment(self, key: ReplicaKey) -> bool:
        """Add 1 and touch the row."""
        return bool(await self._around("increment", lambda: self._registry.increment(key)))

    def give_back(self, key: ReplicaKey, count: int) -> None:
        """Take 1, `count` times in a row; nobody waits, and nobody hears of a failure."""
        self._runtime.spawn(self._give_back(key, count), "give back")

    async def _give_back(self, key: ReplicaKey, count: int) -> None:
        async def call() -> None:
            self._registry.give_back(key, count)

        with suppress(CallError):
            await self._around("give_back", call)

    async def touch(self, key: ReplicaKey) -> None:
        """Set the row's last use to now."""
        await self._around("touch", lambda: self._registry.touch(key))

    async def publish(
        self, key: ReplicaKey, address: str, in_flight: int, state: RowState = RowState.LOADED, revision: str = ""
    ) -> None:
        """Write the row."""
        await self._around("publish", lambda: self._registry.publish(key, address, in_flight, state, revision))

    async def remove(self, key: ReplicaKey) -> bool:
        """Delete the row of that key."""
        return bool(await self._around("remove", lambda: self._registry.remove(key)))

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold the lock of that name."""
        return _InterposedLock(self._registry.lock(name), "lock", self._around)

    def try_lock(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Hold the lock of that name if it is free."""
        return _InterposedLock(self._registry.try_lock(name), "try_lock", self._around)

    async def fleet(self) -> Fleet:
        """Read everything."""
        fleet: Fleet = await self._around("fleet", self._registry.fleet)
        return fleet

    async def register_node(self, facts: NodeFacts) -> Sequence[ReplicaRow]:
        """Write the node as healthy."""
        rows: Sequence[ReplicaRow] = await self._around("register_node", lambda: self._registry.register_node(facts))
        return rows

    async def heartbeat(self, node: str, report: NodeReport) -> None:
        """Set the node's heartbeat to now."""
        await self._around("heartbeat", lambda: self._registry.heartbeat(node, report))

    async def set_status(self, node: str, status: NodeStatus) -> Sequence[ReplicaRow]:
        """Set the node's status."""
        rows: Sequence[ReplicaRow] = await self._around("set_status", lambda: self._registry.set_status(node, status))
        return rows

    async def remove_row(self, row_id: str) -> bool:
        """Delete this very row."""
        return bool(await self._around("remove_row", lambda: self._registry.remove_row(row_id)))

    async def remove_idle_row(self, row_id: str, unused_since_ns: int) -> bool:
        """Delete the row unless it is in use."""
        return bool(
            await self._around("remove_idle_row", lambda: self._registry.remove_idle_row(row_id, unused_since_ns))
        )

    async def confirm_row(self, row_id: str) -> None:
        """Set the row's update time to now."""
        await self._around("confirm_row", lambda: self._registry.confirm_row(row_id))

    async def clear_in_flight(self, row_id: str) -> None:
        """Set the row's count to 0."""
        await self._around("clear_in_flight", lambda: self._registry.clear_in_flight(row_id))

    async def evict(self, choose: Callable[[Fleet], ReplicaRow | None]) -> ReplicaRow | None:
        """Choose a row and delete it."""
        row: ReplicaRow | None = await self._around("evict", lambda: self._registry.evict(choose))
        return row

    async def reserve_vram(self, node: str, size_bytes: int) -> bool:
        """Add to what is reserved."""
        return bool(await self._around("reserve_vram", lambda: self._registry.reserve_vram(node, size_bytes)))

    async def release_vram(self, node: str, size_bytes: int) -> None:
        """Take from what is reserved."""
        await self._around("release_vram", lambda: self._registry.release_vram(node, size_bytes))

    async def set_cooldown(self, model: str, cooldown: Cooldown) -> None:
        """Write the model's cooldown."""
        await self._around("set_cooldown", lambda: self._registry.set_cooldown(model, cooldown))

    async def advance_revision(self, model: str, revision: str) -> Sequence[ReplicaRow]:
        """Set the model's current revision."""
        rows: Sequence[ReplicaRow] = await self._around(
            "advance_revision", lambda: self._registry.advance_revision(model, revision)
        )
        return rows

    async def claim_pass(self, name: str, interval_ns: int) -> bool:
        """Ask to be the first in the interval."""
        return bool(await self._around("claim_pass", lambda: self._registry.claim_pass(name, interval_ns)))

    async def load_job(self, model: str) -> LoadJob | None:
        """Read the model's load."""
        job: LoadJob | None = await self._around("load_job", lambda: self._registry.load_job(model))
        return job

    async def start_load(self, model: str) -> LoadJob | None:
        """Write a load, unless there is one."""
        job: LoadJob | None = await self._around("start_load", lambda: self._registry.start_load(model))
        return job

    async def beat_load(self, job_id: str, state: LoadState, cause: str = "") -> bool:
        """Set the load's heartbeat and state."""
        return bool(await self._around("beat_load", lambda: self._registry.beat_load(job_id, state, cause)))

    async def end_load(self, job_id: str) -> None:
        """Delete the load."""
        await self._around("end_load", lambda: self._registry.end_load(job_id))


class _InterposedLock(AbstractAsyncContextManager[T], Generic[T]):
    """A lock whose taking has something in between; letting go of it has not, so that none is lost by mistake."""

    def __init__(self, lock: AbstractAsyncContextManager[T], name: str, around: AroundRegistry) -> None:
        self._lock = lock
        self._name = name
        self._around = around

    async def __aenter__(self) -> T:
        taken: T = await self._around(self._name, self._lock.__aenter__)
        return taken

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lock.__aexit__(kind, error, trace)


class InterposedDialer:
    """Makes clients with something in between."""

    def __init__(self, dialer: Dialer, around: AroundBackend) -> None:
        self._dialer = dialer
        self._around = around

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        """Return a client for the process at the address."""
        return _InterposedBackend(self._dialer.dial(key, address), key, address, self._around)


class _InterposedBackend:
    def __init__(self, backend: Backend, key: ReplicaKey, address: str, around: AroundBackend) -> None:
        self._backend = backend
        self._key = key
        self._address = address
        self._around = around

    async def health(self) -> None:
        await self._around(self._key, self._address, "health", self._backend.health)

    async def predict(self, request: Request) -> None:
        await self._around(self._key, self._address, "predict", lambda: self._backend.predict(request))

    async def load_model(self, model: str) -> None:
        await self._around(self._key, self._address, "load_model", lambda: self._backend.load_model(model))


class InterposedWorker:
    """Workers with something in between."""

    def __init__(self, worker: WorkerControl, around: AroundWorker) -> None:
        self._worker = worker
        self._around = around

    async def install(self, key: ReplicaKey) -> str:
        """Have the replica's process started."""
        return str(await self._around(key.node, "install", lambda: self._worker.install(key)))

    async def stop(self, key: ReplicaKey) -> None:
        """Have the replica's process end."""
        await self._around(key.node, "stop", lambda: self._worker.stop(key))

    async def unload(self, node: str, model: str) -> None:
        """Have some process of the node drop its model."""
        await self._around(node, "unload", lambda: self._worker.unload(node, model))

    async def processes(self, node: str) -> Sequence[RunningProcess]:
        """List the processes of the node."""
        running: Sequence[RunningProcess] = await self._around(node, "processes", lambda: self._worker.processes(node))
        return running
