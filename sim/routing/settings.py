"""Which strategies a frontend uses, by name, and their times: what a scenario's `router` and `control_plane` say."""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from sim.routing.loading.free_process import Release, stop_exact_process, unload_some_process
from sim.routing.loading.load_limits import BY_SIZE, FIXED, LoadLimit
from sim.routing.loading.placement import FAITHFUL, REPAIRED, PlacementRules
from sim.routing.ports import Runtime
from sim.routing.request_path.health_check import BUSY_IS_NOT_DEAD, DELETE_ROW_ON_TIMEOUT, Reading
from sim.routing.request_path.singleflight import DetachedFlight, LeaderOwnedFlight, Singleflight, UnsharedCalls


class ControlSettings(Protocol):
    """How replicas come and go."""

    @property
    def loads(self) -> Literal["inline", "job"]:
        """Where a cold load runs."""

    @property
    def load_limit(self) -> Literal["fixed", "by_size"]:
        """How long it may take."""

    @property
    def load_wait_ns(self) -> int:
        """How long a request waits for a load that runs on its own."""

    @property
    def placement(self) -> Literal["lenient", "strict"]:
        """How strictly a replica keeps to its nodes."""

    @property
    def release(self) -> Literal["unload", "stop"]:
        """How a process is freed."""

    @property
    def monitor(self) -> Literal["every_miss", "busy_is_alive"]:
        """How the health monitor reads a probe without an answer."""

    @property
    def reaper(self) -> Literal["first_miss", "third_miss"]:
        """How the reconciler judges the rows it looks after."""

    @property
    def load_info(self) -> Literal["with_rows", "kept"]:
        """How long it is remembered how to load a model."""

    @property
    def passes(self) -> Literal["every_frontend", "once_per_tick"]:
        """Which tickers lead to a pass."""


class FrontendSettings(Protocol):
    """How a frontend routes."""

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

    @property
    def control(self) -> ControlSettings:
        """How replicas come and go."""


class HealthMonitorSettings(Protocol):
    """Times of the health monitor."""

    @property
    def tick_ns(self) -> int:
        """Between passes."""

    @property
    def stale_after_ns(self) -> int:
        """Age of a heartbeat, strictly above which its node is offline."""

    @property
    def probe_timeout_ns(self) -> int:
        """How long a probe may take."""

    @property
    def misses(self) -> int:
        """How many in a row delete a row."""


class ReconcilerSettings(Protocol):
    """Times of the reconciler."""

    @property
    def tick_ns(self) -> int:
        """Between passes."""

    @property
    def idle_after_ns(self) -> int:
        """Time since a replica's last use, for a scale-down to take it."""

    @property
    def fruitless_passes(self) -> int:
        """Passes without capacity, for a model's minimum to be given up for a while."""

    @property
    def cooldown_ns(self) -> int:
        """That while."""

    @property
    def stale_row_after_ns(self) -> int:
        """Time since a row's last update, for its process to be looked for."""

    @property
    def probe_timeout_ns(self) -> int:
        """How long a probe of such a row may take."""

    @property
    def leak_after_ns(self) -> int:
        """Time since a row's last use, for its count to be taken for a leak."""


class ControlPlaneSettings(Protocol):
    """Which loops a frontend runs."""

    @property
    def health_monitor(self) -> HealthMonitorSettings | None:
        """None if it runs none."""

    @property
    def reconciler(self) -> ReconcilerSettings | None:
        """None if it runs none."""


READINGS: Mapping[str, Reading] = {"remove_row": DELETE_ROW_ON_TIMEOUT, "keep_row": BUSY_IS_NOT_DEAD}

SHARING: Mapping[str, Callable[[Runtime], Singleflight]] = {
    "unshared": lambda _runtime: UnsharedCalls(),
    "leader_owned": LeaderOwnedFlight,
    "detached": DetachedFlight,
}

PLACEMENT: Mapping[str, PlacementRules] = {"lenient": FAITHFUL, "strict": REPAIRED}

RELEASE: Mapping[str, Release] = {"unload": unload_some_process, "stop": stop_exact_process}

LOAD_LIMITS: Mapping[str, LoadLimit] = {"fixed": FIXED, "by_size": BY_SIZE}
