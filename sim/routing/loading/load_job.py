"""The cold load as a durable job: it outlives the request that began it, and holds the model's lock for the claim only.

A row of the registry tells every frontend that the model is being loaded, and by its heartbeat that the owner lives.
Requests wait for the job on whichever frontend they are, for a limited time, and are then turned away. Those on the
owner's frontend are woken when it ends; the others look at the row now and then.
"""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, NamedTuple

from sim.routing.errors import CallError, LoadFailed, NoReplica, StillLoading
from sim.routing.load_jobs import LoadJob, LoadState
from sim.routing.loading.broadcast import Broadcast, Signal
from sim.routing.loading.cold_load import WarmPath
from sim.routing.loading.load_path import LoadPath
from sim.routing.ports import Journal, Runtime
from sim.routing.registry import Registry
from sim.routing.request import Request
from sim.routing.request_path.route import Route

SECOND_NS = 1_000_000_000

ROUNDS = 3
"""How often a request takes part in a load before it gives up."""

POLL_NS = 2 * SECOND_NS
"""Between two looks at a row whose owner may be on another frontend."""

HEARTBEAT_NS = SECOND_NS
"""Between two signs of life of an owner."""

ORPHAN_NS = 60 * SECOND_NS
"""Age of a heartbeat, strictly above which its job has no owner any more."""

FAILED_GRACE_NS = 15 * SECOND_NS
"""How long a failed job stays, so that requests fail with its cause instead of beginning the same load again."""

LEAST_RETRY_S = 5
MOST_RETRY_S = 300


def retry_after_s(wait_ns: int) -> int:
    """Return how many whole seconds a client that was turned away should stay away: from 5 to 300.

    How much of the load is left is not known, so it is the time that a request may wait for one, rounded up.
    """
    return max(LEAST_RETRY_S, min(-(-wait_ns // SECOND_NS), MOST_RETRY_S))


class _OwnedLoad:
    """A job that this frontend has claimed: its load, and its row, which nobody else writes while the owner lives.

    The row is written by one task, one write after the other, so that a late heartbeat cannot hide a failure. If the
    registry does not answer, the load goes on, and in the end the row is left for others to find orphaned.
    """

    __slots__ = ("_broadcast", "_failure", "_job", "_load_path", "_over", "_registry", "_runtime", "_state")

    def __init__(
        self, runtime: Runtime, registry: Registry, load_path: LoadPath, broadcast: Broadcast, job: LoadJob
    ) -> None:
        self._runtime = runtime
        self._registry = registry
        self._load_path = load_path
        self._broadcast = broadcast
        self._job = job
        self._state = job.state
        self._failure = ""
        self._over = Signal(runtime)

    async def run(self) -> None:
        """Load the model; then delete the row and wake those who wait, or have the row tell of the failure a while."""
        loading = self._runtime.spawn(self._load(), f"load {self._job.model}")
        try:
            await self._beat()
        except BaseException:
            loading.cancel()
            raise
        if self._failure:
            await self._fail()
        else:
            await self.end()

    async def end(self) -> None:
        """Delete the row and wake those who wait here."""
        await self._delete_row()
        self._broadcast.close(self._job.model)

    async def _load(self) -> None:
        try:
            await self._load_path.load(self._job.model, in_flight=0, cause="cold_load", report=self._note)
        except CallError as error:
            self._failure = f"{type(error).__name__}: {error}"
        finally:
            self._over.give()

    def _note(self, state: LoadState) -> None:
        self._state = state

    async def _beat(self) -> None:
        """Say every second that the owner lives, as long as the row is there; return when the load is over."""
        is_ours = True
        while is_ours and not await self._over.within(HEARTBEAT_NS):
            is_ours = await self._is_still_ours()
        # Whoever has lost the row, by a silence that was too long, loads on: a replica is welcome from anybody.
        await self._over.wait()

    async def _is_still_ours(self) -> bool:
        try:
            return await self._registry.beat_load(self._job.id, self._state)
        except CallError:
            return True

    async def _fail(self) -> None:
        with suppress(CallError):
            await self._registry.beat_load(self._job.id, LoadState.FAILED, self._failure)
        self._broadcast.close(self._job.model)
        await self._runtime.sleep(FAILED_GRACE_NS)
        await self._delete_row()

    async def _delete_row(self) -> None:
        with suppress(CallError):
            await self._registry.end_load(self._job.id)


class _DetachedLoad:
    """A load without a job, for one request, which goes on if the request leaves.

    The new row counts that request from the start, so its place is given back if it is no longer there to take it.
    """

    __slots__ = ("_is_awaited", "_outcome", "_over", "_runtime")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._outcome: Route | CallError = CallError("the load was broken off")
        self._over = Signal(runtime)
        self._is_awaited = True

    async def route(self, load: Callable[[], Coroutine[Any, Any, Route]]) -> Route:
        """Return the route that the load leads to, or raise the CallError that it ends with."""
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


class _Claim(NamedTuple):
    ours: LoadJob | None = None
    """None if the claim came too late."""
    theirs: LoadJob | None = None
    """What was there before; None if it came between two looks, so that nothing is known of it."""


class JobLoad:
    """Loads the model in a job that all frontends know of, and has requests wait for it; LocalAI's rules."""

    __slots__ = ("_broadcast", "_journal", "_load_path", "_registry", "_runtime", "_wait_ns")

    def __init__(
        self, runtime: Runtime, registry: Registry, journal: Journal, load_path: LoadPath, wait_ns: int
    ) -> None:
        """A request waits for `wait_ns` in all."""
        self._runtime = runtime
        self._registry = registry
        self._journal = journal
        self._load_path = load_path
        self._wait_ns = wait_ns
        self._broadcast = Broadcast(runtime)

    async def route(self, request: Request, warm_path: WarmPath) -> Route:
        """Return a route to a replica that a job has loaded, begun first if there is none.

        Raises StillLoading when the request has waited long enough, LoadFailed if the job has failed, NoReplica if
        there is nothing to route to after three jobs have ended. A job goes on if the caller leaves. Where no job can
        be claimed the request loads on its own, and gets the CallError of its load.
        """
        until_ns = self._runtime.now_ns() + self._wait_ns
        for _ in range(ROUNDS):
            route = await self._take_part(request, warm_path, until_ns)
            if route is not None:
                return route
        raise NoReplica("load finished but model not available")

    async def _take_part(self, request: Request, warm_path: WarmPath, until_ns: int) -> Route | None:
        # Listening comes before the claim: an end that comes right after it must be heard.
        with self._broadcast.listening(request.model) as ended:
            try:
                claim = await self._claim(request.model)
            except CallError:
                return await _DetachedLoad(self._runtime).route(lambda: self._load_for(request))
            _raise_if_failed(claim.theirs)
            if claim.ours is not None:
                route = await self._begin(request, claim.ours, warm_path)
                if route is not None:
                    return route
            await self._wait(request.model, ended, until_ns)
        return await warm_path(request)

    async def _claim(self, model: str) -> _Claim:
        """Write the model's job, in place of an orphaned one, unless there is one; nothing else happens in the lock."""
        async with self._registry.lock(f"model-load:{model}"):
            job = await self._registry.load_job(model)
            if job is not None:
                if self._runtime.wall_ns() - job.heartbeat_ns <= ORPHAN_NS:
                    return _Claim(theirs=job)
                await self._registry.end_load(job.id)
            return _Claim(ours=await self._registry.start_load(model))

    async def _begin(self, request: Request, job: LoadJob, warm_path: WarmPath) -> Route | None:
        """Start the claimed job; return a route if one is found after all, and the job is not needed.

        Whoever leaves before the job has started takes it along.
        """
        owned = _OwnedLoad(self._runtime, self._registry, self._load_path, self._broadcast, job)
        name = f"load job of {job.model}"
        try:
            route = await warm_path(request)
        except BaseException:
            self._runtime.spawn(owned.end(), name)
            raise
        self._runtime.spawn(owned.run() if route is None else owned.end(), name)
        return route

    async def _wait(self, model: str, ended: Signal, until_ns: int) -> None:
        """Return when the job has ended well, as far as can be told. Raises StillLoading and LoadFailed."""
        while not await ended.within(max(0, min(POLL_NS, until_ns - self._runtime.now_ns()))):
            if self._runtime.now_ns() >= until_ns:
                raise StillLoading(f"{model} is still loading; come back in {retry_after_s(self._wait_ns)} s")
            if await self._has_gone(model):
                return

    async def _has_gone(self, model: str) -> bool:
        """Tell whether the model's job has gone; one that cannot be read counts as there. Raises LoadFailed."""
        try:
            job = await self._registry.load_job(model)
        except CallError:
            return False
        _raise_if_failed(job)
        return job is None

    async def _load_for(self, request: Request) -> Route:
        loaded = await self._load_path.load(request.model, in_flight=1, cause="cold_load")
        return Route(loaded.key, loaded.address, loaded.backend, self._registry, self._journal)


def _raise_if_failed(job: LoadJob | None) -> None:
    if job is not None and job.state is LoadState.FAILED:
        raise LoadFailed(job.cause)
