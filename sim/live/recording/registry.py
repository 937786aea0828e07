"""The registry of a recorded frontend: its answers are written down, and what its choices were made among."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Generic, TypeVar

from sim.live.recording.lines import Seen, Transcript
from sim.routing.fleet import Cooldown, Fleet, NodeFacts, NodeReport, ReplicaRow
from sim.routing.load_jobs import LoadJob, LoadJobs, LoadState
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.states import NodeStatus, RowState

T = TypeVar("T")

seen_by_pick: ContextVar[list[Seen] | None] = ContextVar("where a pick puts what it chose among", default=None)


class RecordedRegistry:
    """A registry between which and the routing code a transcript is kept."""

    def __init__(self, registry: LoadJobs, transcript: Transcript) -> None:
        self._registry = registry
        self._transcript = transcript

    async def pick(
        self, model: str, candidates: Collection[str] = (), preferred: ReplicaKey | None = None
    ) -> Replica | None:
        """Choose a row."""
        seen: list[Seen] = []
        seen_by_pick.set(seen)
        args = (model, list(candidates), preferred)
        return await self._transcript.call(
            "pick", args, lambda: self._registry.pick(model, candidates, preferred), seen
        )

    async def increment(self, key: ReplicaKey) -> bool:
        """Count a call on the row."""
        return await self._transcript.call("increment", (key,), lambda: self._registry.increment(key))

    def give_back(self, key: ReplicaKey, count: int) -> None:
        """Take from the row's count; nobody waits."""
        self._transcript.sent("give_back", key, count)
        self._registry.give_back(key, count)

    async def touch(self, key: ReplicaKey) -> None:
        """Touch the row."""
        await self._transcript.call("touch", (key,), lambda: self._registry.touch(key))

    async def publish(
        self, key: ReplicaKey, address: str, in_flight: int, state: RowState = RowState.LOADED, revision: str = ""
    ) -> None:
        """Write the row."""
        args = (key, address, in_flight, state, revision)
        await self._transcript.call("publish", args, lambda: self._registry.publish(*args))

    async def remove(self, key: ReplicaKey) -> bool:
        """Delete the row of that key."""
        return await self._transcript.call("remove", (key,), lambda: self._registry.remove(key))

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold the lock of that name."""
        return _RecordedLock(self._registry.lock(name), "lock", name, self._transcript)

    def try_lock(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Hold the lock of that name if it is free."""
        return _RecordedLock(self._registry.try_lock(name), "try_lock", name, self._transcript)

    async def fleet(self) -> Fleet:
        """Read everything."""
        return await self._transcript.call("fleet", (), self._registry.fleet)

    async def register_node(self, facts: NodeFacts) -> Sequence[ReplicaRow]:
        """Write the node as healthy."""
        return await self._transcript.call("register_node", (facts,), lambda: self._registry.register_node(facts))

    async def heartbeat(self, node: str, report: NodeReport) -> None:
        """Set the node's heartbeat to now."""
        await self._transcript.call("heartbeat", (node, report), lambda: self._registry.heartbeat(node, report))

    async def set_status(self, node: str, status: NodeStatus) -> Sequence[ReplicaRow]:
        """Set the node's status."""
        return await self._transcript.call(
            "set_status", (node, status), lambda: self._registry.set_status(node, status)
        )

    async def remove_row(self, row_id: str) -> bool:
        """Delete this very row."""
        return await self._transcript.call("remove_row", (row_id,), lambda: self._registry.remove_row(row_id))

    async def remove_idle_row(self, row_id: str, unused_since_ns: int) -> bool:
        """Delete the row unless it is in use."""
        args = (row_id, unused_since_ns)
        return await self._transcript.call("remove_idle_row", args, lambda: self._registry.remove_idle_row(*args))

    async def confirm_row(self, row_id: str) -> None:
        """Set the row's update time to now."""
        await self._transcript.call("confirm_row", (row_id,), lambda: self._registry.confirm_row(row_id))

    async def clear_in_flight(self, row_id: str) -> None:
        """Set the row's count to 0."""
        await self._transcript.call("clear_in_flight", (row_id,), lambda: self._registry.clear_in_flight(row_id))

    async def evict(self, choose: Callable[[Fleet], ReplicaRow | None]) -> ReplicaRow | None:
        """Choose a row and delete it."""
        seen: list[Fleet] = []

        def choose_and_note(fleet: Fleet) -> ReplicaRow | None:
            seen.append(fleet)
            return choose(fleet)

        return await self._transcript.call("evict", (), lambda: self._registry.evict(choose_and_note), seen)

    async def reserve_vram(self, node: str, size_bytes: int) -> bool:
        """Add to what is reserved."""
        args = (node, size_bytes)
        return await self._transcript.call("reserve_vram", args, lambda: self._registry.reserve_vram(*args))

    async def release_vram(self, node: str, size_bytes: int) -> None:
        """Take from what is reserved."""
        args = (node, size_bytes)
        await self._transcript.call("release_vram", args, lambda: self._registry.release_vram(*args))

    async def set_cooldown(self, model: str, cooldown: Cooldown) -> None:
        """Write the model's cooldown."""
        args = (model, cooldown)
        await self._transcript.call("set_cooldown", args, lambda: self._registry.set_cooldown(*args))

    async def advance_revision(self, model: str, revision: str) -> Sequence[ReplicaRow]:
        """Set the model's current revision."""
        args = (model, revision)
        return await self._transcript.call("advance_revision", args, lambda: self._registry.advance_revision(*args))

    async def claim_pass(self, name: str, interval_ns: int) -> bool:
        """Ask to be the first in the interval."""
        args = (name, interval_ns)
        return await self._transcript.call("claim_pass", args, lambda: self._registry.claim_pass(*args))

    async def load_job(self, model: str) -> LoadJob | None:
        """Read the model's load."""
        return await self._transcript.call("load_job", (model,), lambda: self._registry.load_job(model))

    async def start_load(self, model: str) -> LoadJob | None:
        """Write a load, unless there is one."""
        return await self._transcript.call("start_load", (model,), lambda: self._registry.start_load(model))

    async def beat_load(self, job_id: str, state: LoadState, cause: str = "") -> bool:
        """Set the load's heartbeat and state."""
        args = (job_id, state, cause)
        return await self._transcript.call("beat_load", args, lambda: self._registry.beat_load(*args))

    async def end_load(self, job_id: str) -> None:
        """Delete the load."""
        await self._transcript.call("end_load", (job_id,), lambda: self._registry.end_load(job_id))


class _RecordedLock(AbstractAsyncContextManager[T], Generic[T]):
    def __init__(self, lock: AbstractAsyncContextManager[T], what: str, name: str, transcript: Transcript) -> None:
        self._lock = lock
        self._what = what
        self._name = name
        self._transcript = transcript

    async def __aenter__(self) -> T:
        return await self._transcript.call(self._what, (self._name,), self._lock.__aenter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async def unlock() -> None:
            await self._lock.__aexit__(kind, error, trace)

        await self._transcript.call("unlock", (self._name,), unlock)
