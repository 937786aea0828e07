"""How a frontend works: which of its strategies it uses, by name, its time limits, and what it knows of each model.

A scenario is turned into these values, and each default stands there. What a name stands for is in `strategies.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ClientCacheName = Literal["sticky", "per_request"]
LivenessName = Literal["none", "coarse_lock", "fine_lock"]
FailureDomainName = Literal["replica", "model"]
CancellationName = Literal["detached", "propagated"]
ReservationName = Literal["first_call", "first_call_or_next_route", "request_scope"]
OnRegistryErrorName = Literal["fail_open", "fail_closed"]
OnFailedDecrementName = Literal["ignore", "retry"]
OnWrongModelName = Literal["keep_row", "remove_row"]
RetryName = Literal["none", "other_replica", "throttled"]
SelectorName = Literal["after_pick", "in_pick"]
SharingName = Literal["unshared", "leader_owned", "detached"]
ReadingName = Literal["remove_row", "keep_row"]
TeacherName = Literal["probes", "calls"]
ColdLoadName = Literal["unlocked", "inline", "job"]
LoadLimitName = Literal["fixed", "by_size"]
LoadRetryName = Literal["at_once", "backoff"]
LoadRowsName = Literal["on_success", "lifecycle"]
PlacementName = Literal["lenient", "strict"]
ReleaseName = Literal["unload", "stop_by_name", "stop"]
NodeStatusName = Literal["ignored", "heeded"]
SlotsName = Literal["ignored", "counted"]
ExactStopName = Literal["by_loopback", "by_key"]
ModelEditsName = Literal["unload", "revision"]
MonitoringName = Literal["every_miss", "busy_is_alive"]
ReaperName = Literal["first_miss", "third_miss", "worker_first"]
DiskRuleName = Literal["ignored", "headroom"]
LoadInfoName = Literal["with_rows", "kept"]
ListedCountsName = Literal["snapshot", "own_sends", "own_in_flight", "rotate"]
PressureName = Literal["ignored", "heeded"]
ScalingName = Literal["in_sequence", "side_by_side"]
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
    load_retry: LoadRetryName
    """When a model whose load has failed may be loaded again."""
    load_wait_ns: int
    """How long a request waits for a load that runs on its own."""
    load_rows: LoadRowsName
    """Which rows are written during a load."""
    placement: PlacementName
    """How strictly a replica keeps to its nodes."""
    slots: SlotsName
    """Whether a replica needs a slot of its own."""
    disk: DiskRuleName
    """What disk a node must have free to take a replica."""
    release: ReleaseName
    """How a process is freed."""
    monitor: MonitoringName
    """How the health monitor reads a probe without an answer."""
    reaper: ReaperName
    """How the reconciler judges stale rows."""
    load_info: LoadInfoName
    """How long it is remembered how to load a model."""
    exact_stop: ExactStopName
    """Which processes of an old revision their workers find, when they are told to stop them."""
    edits: ModelEditsName
    """What becomes of a model's replicas when its options are edited."""
    pressure: PressureName
    """Whether a model gets one more replica when requests were kept from the one that knows their prompt."""
    scaling: ScalingName
    """Whether the reconciler waits for loads of any length before it goes on."""
    passes: PassRuleName
    """Which ticks lead to a pass."""


@dataclass(frozen=True, slots=True)
class ReplicaListSettings:
    """A frontend's own list of replicas, which spares the registry a transaction for each pick."""

    refresh_ns: int
    """Time between readings."""
    counts: ListedCountsName
    """What the list shows of the requests since."""


@dataclass(frozen=True, slots=True)
class FrontendSettings:
    """How a frontend routes."""

    client_cache: ClientCacheName
    """How a route is reused."""
    liveness: LivenessName
    """Under which locks the frontend checks its clients beside the probes, if it does."""
    failure_domain: FailureDomainName
    """What is given up when a replica turns out to be gone."""
    cancellation: CancellationName
    """What the leaving of a client cancels before its call."""
    reservation: ReservationName
    """When a pick's 1 is given back that no call has taken back."""
    on_registry_error: OnRegistryErrorName
    """What becomes of a request when a write about its route fails."""
    on_failed_decrement: OnFailedDecrementName
    """What becomes of a count that the registry did not take when a request gave it back."""
    on_wrong_model: OnWrongModelName
    """Whether a process that turns out not to hold the model loses its row."""
    retry: RetryName
    """Whether a failed call is made once more on another replica."""
    call_limit_ns: int | None
    """How long a call may take; None for no limit."""
    selector: SelectorName
    """Whether a pick keeps to the nodes that the model's selector matches."""
    replica_list: ReplicaListSettings | None
    """None for a transaction with the registry for each pick."""
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
    worker_timeout_ns: int
    """How long a worker may take to say what it runs, or to stop a process, before a pass goes on without it."""
    leak_after_ns: int
    """Time since a row's last use, after which its in-flight count is suspected of a leak."""


@dataclass(frozen=True, slots=True)
class ControlPlaneSettings:
    """Which loops a frontend runs."""

    health_monitor: HealthMonitorSettings | None
    """None for no health monitor."""
    reconciler: ReconcilerSettings | None
    """None for no reconciler."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """One model's needs and bounds."""

    name: str
    vram_bytes: int = 0
    """Estimate for one replica; 0 if unknown."""
    disk_bytes: int = 0
    """Size of its files; 0 if unknown."""
    selector: Mapping[str, str] = field(default_factory=dict)
    """Labels that a node must have; empty for any node."""
    conflicts: tuple[str, ...] = ()
    """Models that should not share a node with it."""
    min_replicas: int | None = None
    max_replicas: int | None = None
    """None or 0 for no bound."""
    spread: bool = False
    """Whether every matching node should have one replica; their number is then both bounds."""

    @property
    def is_bounded(self) -> bool:
        """Whether the reconciler scales it."""
        return bool(self.min_replicas or self.max_replicas or self.spread)

    @property
    def eviction_floor(self) -> int | None:
        """How many loaded replicas eviction must leave; None if it may take all.

        A bounded model without a minimum keeps 1, or 0 if it has a maximum.
        """
        if not self.is_bounded:
            return None
        if self.min_replicas is not None:
            return self.min_replicas
        return 0 if self.max_replicas else 1
