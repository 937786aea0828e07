"""A frontend: one process that takes requests, with caches of its own, put together from named strategies."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.routing.client_cache import LIVENESS_LIMIT_NS, ClientCache, Sticky, per_request
from sim.routing.cold_load import ColdLoad, InlineLoad
from sim.routing.errors import CallError, StillLoading
from sim.routing.eviction import Eviction
from sim.routing.health_check import HealthCheck
from sim.routing.load_job import JobLoad
from sim.routing.load_jobs import LoadJobs
from sim.routing.load_path import LoadPath
from sim.routing.model_config import ModelConfig
from sim.routing.outcomes import Outcome
from sim.routing.ports import Dialer, Journal, Runtime, WorkerControl
from sim.routing.probe_cache import ProbeCache
from sim.routing.request import Request
from sim.routing.router import Router
from sim.routing.settings import LOAD_LIMITS, PLACEMENT, READINGS, RELEASE, SHARING, ControlSettings, FrontendSettings

Loop = Callable[[], Coroutine[Any, Any, None]]
"""Something without an end, begun anew each time it is called."""


@dataclass(frozen=True, slots=True)
class FrontendPorts:
    """All that a frontend reaches its world through."""

    runtime: Runtime
    registry: LoadJobs
    dialer: Dialer
    worker: WorkerControl
    journal: Journal


class Frontend:
    """Takes requests from their arrival to their outcome."""

    __slots__ = ("_find_route", "_journal", "_refreshed", "loops")

    def __init__(
        self, client_cache: ClientCache, journal: Journal, refreshed: ProbeCache | None, loops: Sequence[Loop] = ()
    ) -> None:
        self.loops = loops
        """What it does on its own, beside its requests."""
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
        except StillLoading as error:
            self._journal.ended(request, Outcome.REJECTED, type(error).__name__)
            return
        except CallError as error:
            self._journal.ended(request, Outcome.FAILED, type(error).__name__)
            return
        self._journal.ended(request, Outcome.COMPLETED, "")
        if self._refreshed is not None:
            self._refreshed.refresh(route.place)


def build_frontend(settings: FrontendSettings, ports: FrontendPorts, models: Mapping[str, ModelConfig]) -> Frontend:
    """Put a frontend together on a world's ports. `models` go by name; of others nothing is known."""
    runtime, registry, dialer, journal = ports.runtime, ports.registry, ports.dialer, ports.journal
    probe_cache = ProbeCache(runtime, settings.probe_ttl_ns, SHARING[settings.probe_sharing](runtime))
    router = Router(
        registry=registry,
        dialer=dialer,
        journal=journal,
        probe_cache=probe_cache,
        health_check=HealthCheck(runtime, journal, settings.probe_timeout_ns),
        reading=READINGS[settings.on_probe_timeout],
        cold_load=_cold_load(settings.control, ports, models),
        selectors={name: model.selector for name, model in models.items() if model.selector},
    )
    refreshed = probe_cache if settings.refreshed_by == "calls" else None
    return Frontend(_client_cache(settings, router, runtime, journal), journal, refreshed)


def _inline_load(_settings: ControlSettings, ports: FrontendPorts, load_path: LoadPath) -> ColdLoad:
    return InlineLoad(ports.registry, ports.journal, load_path)


def _job_load(settings: ControlSettings, ports: FrontendPorts, load_path: LoadPath) -> ColdLoad:
    return JobLoad(ports.runtime, ports.registry, ports.journal, load_path, settings.load_wait_ns)


_COLD_LOADS: Mapping[str, Callable[[ControlSettings, FrontendPorts, LoadPath], ColdLoad]] = {
    "inline": _inline_load,
    "job": _job_load,
}


def _cold_load(settings: ControlSettings, ports: FrontendPorts, models: Mapping[str, ModelConfig]) -> ColdLoad:
    return _COLD_LOADS[settings.loads](settings, ports, build_load_path(settings, ports, models))


def build_load_path(settings: ControlSettings, ports: FrontendPorts, models: Mapping[str, ModelConfig]) -> LoadPath:
    """Put together what adds replicas."""
    release = RELEASE[settings.release]
    return LoadPath(
        ports.runtime,
        ports.registry,
        ports.dialer,
        ports.worker,
        ports.journal,
        models,
        PLACEMENT[settings.placement],
        Eviction(ports.runtime, ports.registry, ports.worker, ports.journal, models, release),
        LOAD_LIMITS[settings.load_limit],
    )


def _client_cache(settings: FrontendSettings, router: Router, runtime: Runtime, journal: Journal) -> ClientCache:
    if settings.client_cache == "per_request":
        return per_request(router)
    return Sticky(router, runtime, HealthCheck(runtime, journal, LIVENESS_LIMIT_NS)).route
