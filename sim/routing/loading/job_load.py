"""The cold load as a job: it outlives the request that started it, and holds the model's lock only while it is claimed.

A row of the registry tells every frontend that the model is being loaded, and its heartbeat that the owner lives.
Requests on any frontend wait for the job for a limited time, and are then rejected. Those on the owner's frontend are
woken when the job ends; the others read the row every two seconds.
"""

from typing import NamedTuple

from sim.routing.errors import CallError, LoadFailed, NoReplica, StillLoading
from sim.routing.fleet import LoadJob, LoadState
from sim.routing.loading.broadcast import Broadcast, Signal
from sim.routing.loading.cold_load import WarmPath, load_lock
from sim.routing.loading.load_owner import LoadOwner
from sim.routing.loading.load_path import LoadPath
from sim.routing.ports import FrontendPorts
from sim.routing.request import Request
from sim.routing.request_path.outlasting import outlasting
from sim.routing.request_path.route import Route
from sim.routing.units import NS_PER_S

ROUNDS = 3
"""How many jobs a request waits for before it gives up."""

POLL_NS = 2 * NS_PER_S
"""Between two readings of a row whose owner may be another frontend."""

ORPHAN_NS = 60 * NS_PER_S
"""Age of a heartbeat, strictly above which its job counts as an orphan."""

LEAST_RETRY_S = 5
MOST_RETRY_S = 300


def retry_after_s(wait_ns: int) -> int:
    """Return after how many whole seconds a rejected client should try again: from 5 to 300.

    Nobody knows how much of the load is left, so it is the time that a request may wait for one, rounded up.
    """
    return max(LEAST_RETRY_S, min(-(-wait_ns // NS_PER_S), MOST_RETRY_S))


class _Claim(NamedTuple):
    ours: LoadJob | None = None
    """None if there is a job already."""
    theirs: LoadJob | None = None
    """That job, if it could be read."""


class JobLoad:
    """Loads the model in a job that all frontends see, and lets requests wait for it, by LocalAI's rules."""

    __slots__ = ("_broadcast", "_load_path", "_ports", "_wait_ns")

    def __init__(self, ports: FrontendPorts, load_path: LoadPath, wait_ns: int) -> None:
        """A request waits for `wait_ns` at most, over all the jobs it waits for."""
        self._ports = ports
        self._load_path = load_path
        self._wait_ns = wait_ns
        self._broadcast = Broadcast(ports.runtime)

    async def route(self, request: Request, warm_path: WarmPath) -> Route:
        """Return a route to a replica that a job has loaded; start the job if there is none.

        Raises StillLoading when the request has waited long enough, LoadFailed if the job has failed, and NoReplica if
        three jobs have ended without a replica to route to. A job goes on if the caller leaves. If no job can be
        claimed, the request loads the model on its own, and gets the CallError of its load.
        """
        until_ns = self._ports.runtime.now_ns() + self._wait_ns
        for _ in range(ROUNDS):
            route = await self._take_part(request, warm_path, until_ns)
            if route is not None:
                return route
        raise NoReplica("load finished but model not available")

    async def _take_part(self, request: Request, warm_path: WarmPath, until_ns: int) -> Route | None:
        # Listen before the claim: the job may end right after it.
        with self._broadcast.listening(request.model) as ended:
            try:
                claim = await self._claim(request.model)
            except CallError:
                return await outlasting(self._ports.runtime, self._load_path.load_for(request), Route.leave)
            _raise_if_failed(claim.theirs)
            if claim.ours is not None:
                route = await self._begin(request, claim.ours, warm_path)
                if route is not None:
                    return route
            await self._wait(request.model, ended, until_ns)
        return await warm_path(request)

    async def _claim(self, model: str) -> _Claim:
        """Write the model's job unless there is one that is no orphan; nothing else happens under the lock."""
        async with self._ports.registry.lock(load_lock(model)):
            job = await self._ports.registry.load_job(model)
            if job is not None:
                if self._ports.runtime.wall_ns() - job.heartbeat_ns <= ORPHAN_NS:
                    return _Claim(theirs=job)
                await self._ports.registry.end_load(job.id)
            return _Claim(ours=await self._ports.registry.start_load(model))

    async def _begin(self, request: Request, job: LoadJob, warm_path: WarmPath) -> Route | None:
        """Start the claimed job, or end it and return a route if there is a replica after all.

        If the request leaves before the job has started, the job ends. If this frontend may not load the model again
        yet, the job ends too and LoadFailed is raised; another frontend may try.
        """
        owned = LoadOwner(self._ports, self._load_path, self._broadcast, job)
        name = f"load job of {job.model}"
        try:
            route = await warm_path(request)
            if route is None:
                self._load_path.retry.require_turn(request.model)
        except GeneratorExit:  # The frontend is gone, and with it whoever could end the job: it is an orphan.
            raise
        except BaseException:
            self._ports.runtime.spawn(owned.end(), name)
            raise
        self._ports.runtime.spawn(owned.run() if route is None else owned.end(), name)
        return route

    async def _wait(self, model: str, ended: Signal, until_ns: int) -> None:
        """Return when the job has ended without a known failure. Raises StillLoading and LoadFailed."""
        while not await ended.within(max(0, min(POLL_NS, until_ns - self._ports.runtime.now_ns()))):
            if self._ports.runtime.now_ns() >= until_ns:
                raise StillLoading(f"{model} is still loading; come back in {retry_after_s(self._wait_ns)} s")
            if await self._has_gone(model):
                return

    async def _has_gone(self, model: str) -> bool:
        """Return whether the model's job has gone; if it cannot be read, it has not. Raises LoadFailed."""
        try:
            job = await self._ports.registry.load_job(model)
        except CallError:
            return False
        _raise_if_failed(job)
        return job is None


def _raise_if_failed(job: LoadJob | None) -> None:
    if job is not None and job.state is LoadState.FAILED:
        raise LoadFailed(job.cause)
