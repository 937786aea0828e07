"""How a frontend works: which of its strategies it uses, by name, and its time limits.

A scenario's `router` and `control_plane` are turned into these values, and each default stands there. What a name
stands for is in `strategies.py`.
"""

from dataclasses import dataclass
from typing import Literal

ClientCacheName = Literal["sticky", "per_request"]
SharingName = Literal["unshared", "leader_owned", "detached"]
ReadingName = Literal["remove_row", "keep_row"]
TeacherName = Literal["probes", "calls"]
ColdLoadName = Literal["inline", "job"]
LoadLimitName = Literal["fixed", "by_size"]
PlacementName = Literal["lenient", "strict"]
ReleaseName = Literal["unload", "stop"]
MonitoringName = Literal["every_miss", "busy_is_alive"]
ReaperName = Literal["first_miss", "third_miss"]
LoadInfoName = Literal["with_rows", "kept"]
PassRuleName = Literal["every_frontend", "once_per_tick"]


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """How a frontend makes sure that a replica lives before it sends a request there."""

    ttl_ns: int
    """How long a proof of life lasts; 0 never."""
    timeout_ns: int
    """How long a probe may take."""
    sharing: SharingName
    """Who owns a probe that several callers wait for."""
    on_timeout: ReadingName
    """Whether a replica that does not answer in time is taken for dead or for busy."""
    refreshed_by: TeacherName
    """What proves a replica alive to the probe cache: probes only, or answered calls as well."""


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """How replicas come and go."""

    loads: ColdLoadName
    """Where a cold load runs."""
    load_limit: LoadLimitName
    """How long it may take."""
    load_wait_ns: int
    """How long a request waits for a load that runs on its own."""
    placement: PlacementName
    """How strictly a replica keeps to its nodes."""
    release: ReleaseName
    """How a process is freed."""
    monitor: MonitoringName
    """How the health monitor reads a probe without an answer."""
    reaper: ReaperName
    """How the reconciler judges stale rows."""
    load_info: LoadInfoName
    """How long it is remembered how to load a model."""
    passes: PassRuleName
    """Which ticks lead to a pass."""


@dataclass(frozen=True, slots=True)
class FrontendSettings:
    """How a frontend routes."""

    client_cache: ClientCacheName
    """How a route is reused."""
    probe: ProbeSettings
    control: ControlSettings


@dataclass(frozen=True, slots=True)
class HealthMonitorSettings:
    """Limits of the health monitor."""

    tick_ns: int
    """Between passes."""
    stale_after_ns: int
    """Age of a heartbeat, strictly above which its node is offline."""
    probe_timeout_ns: int
    """How long a probe may take."""
    misses: int
    """How many misses in a row delete a row."""


@dataclass(frozen=True, slots=True)
class ReconcilerSettings:
    """Limits of the reconciler."""

    tick_ns: int
    """Between passes."""
    idle_after_ns: int
    """Time since a replica's last use, after which a scale-down may remove it."""
    fruitless_passes: int
    """Passes in a row without a free slot, after which a model below its minimum is left alone for a while."""
    cooldown_ns: int
    """That while."""
    stale_row_after_ns: int
    """Time since a row's last update, after which the reconciler looks for its process."""
    probe_timeout_ns: int
    """How long a probe of such a row may take."""
    leak_after_ns: int
    """Time since a row's last use, after which its in-flight count is suspected of a leak."""


@dataclass(frozen=True, slots=True)
class ControlPlaneSettings:
    """Which loops a frontend runs."""

    health_monitor: HealthMonitorSettings | None
    """None for no health monitor."""
    reconciler: ReconcilerSettings | None
    """None for no reconciler."""
