"""The registry of a recorded frontend: its answers are recorded, and the rows that choices were made from."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Generic, TypeVar

from sim.live.recording.lines import Seen, Transcript
from sim.routing.fleet import Fleet, ReplicaRow
from sim.routing.policies.choose import AnyReplica, Choose
from sim.routing.proxy import passing_through
from sim.routing.registry import Registry
from sim.routing.replica import Replica, ReplicaKey

T = TypeVar("T")

seen_by_pick: ContextVar[list[Seen] | None] = ContextVar("where a pick puts what it chose among", default=None)


def recorded_registry(registry: Registry, transcript: Transcript) -> Registry:
    """Return the registry, with everything between it and the routing code recorded."""

    async def pick(model: str, choose: Choose) -> Replica | None:
        seen: list[Seen] = []
        seen_by_pick.set(seen)
        args = (model, list(choose.nodes))
        if choose.order is not None:
            return await transcript.call("pick", args, lambda: registry.pick(model, choose), seen)
        recorded = _RecordedChoice(choose, transcript)
        try:
            return await transcript.call("pick", args, lambda: registry.pick(model, recorded.begun()), seen)
        finally:
            recorded.is_over = True

    async def evict(choose: Callable[[Fleet], ReplicaRow | None]) -> ReplicaRow | None:
        seen: list[Fleet] = []

        def choose_and_note(fleet: Fleet) -> ReplicaRow | None:
            seen.append(fleet)
            return choose(fleet)

        return await transcript.call("evict", (), lambda: registry.evict(choose_and_note), seen)

    def give_back(key: ReplicaKey, count: int) -> None:
        transcript.sent("give_back", key, count)
        registry.give_back(key, count)

    return passing_through(
        registry,
        Registry,
        transcript.call,
        pick=pick,
        evict=evict,
        give_back=give_back,
        lock=lambda name: _RecordedLock(registry.lock(name), "lock", name, transcript),
        try_lock=lambda name: _RecordedLock(registry.try_lock(name), "try_lock", name, transcript),
    )


class _RecordedChoice:
    """A choice that is made here and not by an order of the database's: when it is asked, and what it answers.

    A policy may remember, draw and look at the clock, so a replay has to ask it at the same times.
    """

    order: str | None = None

    def __init__(self, choose: Choose, transcript: Transcript) -> None:
        self.nodes = choose.nodes
        self.is_over = False
        """Whether nobody waits for the pick any more."""
        self._choose = choose
        self._transcript = transcript
        self._wait = -1

    def begun(self) -> "_RecordedChoice":
        """Return itself, for the pick that is waited for from now on."""
        self._wait = self._transcript.last_wait
        return self

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        """Return the row to take; none for a caller who has left."""
        if self.is_over:
            return None
        self._transcript.choosing(self._wait, replicas)
        chosen = self._choose(replicas)
        self._transcript.told("chose", None if chosen is None else chosen.id)
        return chosen


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
