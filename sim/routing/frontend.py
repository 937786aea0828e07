"""A frontend: one process that takes requests, with caches of its own, put together from named strategies."""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from sim.routing.client_cache import LIVENESS_LIMIT_NS, ClientCache, Sticky, per_request
from sim.routing.cold_load import ColdLoad
from sim.routing.errors import CallError
from sim.routing.health_check import BUSY_IS_NOT_DEAD, DELETE_ROW_ON_TIMEOUT, HealthCheck, Reading
from sim.routing.outcomes import Outcome
from sim.routing.ports import Dialer, Journal, Registry, Runtime, WorkerControl
from sim.routing.probe_cache import ProbeCache
from sim.routing.request import Request
from sim.routing.router import Router
from sim.routing.singleflight import DetachedFlight, LeaderOwnedFlight, Singleflight, UnsharedCalls


class FrontendSettings(Protocol):
    """Which strategies a frontend uses, by name, and their times."""

    @property
    def client_cache(self) -> Literal["sticky", "per_request"]:
        """How a route is reused."""

    @property
    def probe_ttl_ns(self) -> int:
        """How long a proof of life lasts; 0 never."""

    @property
    def probe_timeout_ns(self) -> int:
        """How long a probe may take."""

    @property
    def probe_sharing(self) -> Literal["unshared", "leader_owned", "detached"]:
        """Who owns a probe that several callers wait for."""

    @property
    def on_probe_timeout(self) -> Literal["remove_row", "keep_row"]:
        """Whether a replica that does not answer in time is taken for dead or for busy."""

    @property
    def refreshed_by(self) -> Literal["probes", "calls"]:
        """What proves a replica alive to the probe cache: probes only, or answered calls as well."""


READINGS: Mapping[str, Reading] = {"remove_row": DELETE_ROW_ON_TIMEOUT, "keep_row": BUSY_IS_NOT_DEAD}

SHARING: Mapping[str, Callable[[Runtime], Singleflight]] = {
    "unshared": lambda _runtime: UnsharedCalls(),
    "leader_owned": LeaderOwnedFlight,
    "detached": DetachedFlight,
}


class Frontend:
    """Takes requests from their arrival to their outcome."""

    __slots__ = ("_find_route", "_journal", "_refreshed")

    def __init__(self, client_cache: ClientCache, journal: Journal, refreshed: ProbeCache | None) -> None:
        self._find_route = client_cache
        self._journal = journal
        self._refreshed = refreshed
        """The probe cache that an answered call refreshes; None if only probes do."""

    async def serve(self, request: Request) -> None:
        """Route the request, have it served, and record how it ended; a failed call is not tried again."""
        try:
            route = await self._find_route(request)
            self._journal.routed(request, route.key)
            await route.predict(request)
        except CallError as error:
            self._journal.ended(request, Outcome.FAILED, type(error).__name__)
            return
        self._journal.ended(request, Outcome.COMPLETED, "")
        if self._refreshed is not None:
            self._refreshed.refresh(route.place)


def build_frontend(
    settings: FrontendSettings,
    runtime: Runtime,
    registry: Registry,
    dialer: Dialer,
    worker: WorkerControl,
    journal: Journal,
    needed_vram_bytes: Mapping[str, int],
) -> Frontend:
    """Put a frontend together on a world's ports."""
    probe_cache = ProbeCache(runtime, settings.probe_ttl_ns, SHARING[settings.probe_sharing](runtime))
    router = Router(
        registry=registry,
        dialer=dialer,
        journal=journal,
        probe_cache=probe_cache,
        health_check=HealthCheck(runtime, journal, settings.probe_timeout_ns),
        reading=READINGS[settings.on_probe_timeout],
        cold_load=ColdLoad(runtime, registry, dialer, worker, journal, needed_vram_bytes),
    )
    refreshed = probe_cache if settings.refreshed_by == "calls" else None
    return Frontend(_client_cache(settings, router, runtime, journal), journal, refreshed)


def _client_cache(settings: FrontendSettings, router: Router, runtime: Runtime, journal: Journal) -> ClientCache:
    if settings.client_cache == "per_request":
        return per_request(router)
    return Sticky(router, runtime, HealthCheck(runtime, journal, LIVENESS_LIMIT_NS)).route
