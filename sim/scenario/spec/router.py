"""How the frontends route: a profile, and whatever the scenario sets otherwise."""

from typing import Any, Literal

from pydantic import Field, model_validator

from sim.routing.settings import (
    CancellationName,
    ClientCacheName,
    ColdLoadName,
    ControlSettings,
    DiskRuleName,
    ExactStopName,
    FailureDomainName,
    FrontendSettings,
    ListedCountsName,
    LivenessName,
    LoadInfoName,
    LoadLimitName,
    LoadRetryName,
    LoadRowsName,
    ModelEditsName,
    MonitoringName,
    NodeStatusName,
    OnFailedDecrementName,
    OnRegistryErrorName,
    OnWrongModelName,
    PassRuleName,
    PlacementName,
    PressureName,
    ProbeSettings,
    ReadingName,
    ReaperName,
    ReleaseName,
    ReplicaListSettings,
    ReservationName,
    RetryName,
    ScalingName,
    SelectorName,
    SharingName,
    SlotsName,
    TeacherName,
)
from sim.scenario.spec.base import Spec, wrong
from sim.scenario.spec.policy import Policy
from sim.scenario.spec.profiles import ProfileName, with_profile_defaults
from sim.scenario.text.units import Duration


class ProbeSpec(Spec):
    """Health probes of a picked replica."""

    ttl_ns: Duration = Field(alias="ttl")
    """Age below which a successful probe is trusted and spares the next one."""
    timeout_ns: Duration = Field(alias="timeout", gt=0)
    """Time after which a probe without an answer has failed."""
    sharing: SharingName
    """Whether simultaneous callers share one probe, and whether it ends with the caller that began it."""
    on_timeout: ReadingName
    """Whether a probe without an answer deletes the replica's row or leaves it."""
    refresh: TeacherName
    """Whether probes alone teach the cache, or answered and refused calls as well."""

    @model_validator(mode="before")
    @classmethod
    def _sharing_has_one_key(cls, written: Any) -> Any:
        for key in ("singleflight", "flight"):
            if isinstance(written, dict) and key in written:
                raise wrong(key, "found a key of the past; did you mean sharing: unshared, leader_owned or detached?")
        return written

    def settings(self) -> ProbeSettings:
        """Return the settings that the routing code uses."""
        return ProbeSettings(
            ttl_ns=self.ttl_ns,
            timeout_ns=self.timeout_ns,
            sharing=self.sharing,
            on_timeout=self.on_timeout,
            refreshed_by=self.refresh,
        )


class ReplicaListSpec(Spec):
    """A list of each model's replicas in each frontend, from which it picks without a transaction."""

    refresh_ns: Duration = Field(alias="refresh", gt=0)
    """Time between two readings of the registry, each of which also writes the frontend's counts."""
    counts: ListedCountsName
    """What the policy sees: the last reading (`snapshot`), with what the frontend has sent since (`own_sends`), also
    without what has ended of that (`own_in_flight`), or the last reading as the order of turns (`rotate`)."""

    def settings(self) -> ReplicaListSettings:
        """Return the settings that the routing code uses."""
        return ReplicaListSettings(refresh_ns=self.refresh_ns, counts=self.counts)


InstallOrder = Literal["one_by_one", "by_backend"]


class ControlSpec(Spec):
    """How replicas are loaded and removed: LocalAI's ways, the older ones first, and our repair where there is one."""

    loads: ColdLoadName
    """Whether a cold load runs inside the request, under no lock or under the model's, or as a job of its own."""
    load_limit: LoadLimitName
    """Whether a load may take 5 minutes, or 20 s more for each GiB. Only the latter stops a late process."""
    load_retry: LoadRetryName
    """Whether a model is loaded again at once after a failed load, or after a pause that grows from 10 s to 5 min."""
    load_wait_ns: Duration = Field(alias="load_wait", gt=0)
    """Longest time that a request waits for a load job before it is turned away."""
    load_rows: LoadRowsName
    """Whether a row is written when the model is loaded, or also when it is staged and loading."""
    placement: PlacementName
    """Whether an eviction may ignore selectors and one-sided conflicts."""
    slots: SlotsName
    """Whether a replica needs a free slot, or is loaded in place of the first one on its node."""
    disk: DiskRuleName
    """Whether a node may take a replica whose files its disk cannot hold."""
    release: ReleaseName
    """What happens to the process of a deleted row: `unload` makes some process of the node drop its model, `stop` ends
    this very process, and `stop_by_name` asks for it under a name that no process has, so that it goes on."""
    installs: InstallOrder
    """Whether a node installs one backend at a time, or only one process of each backend."""
    ports: Literal["reuse", "quarantine"]
    """Whether a released port may be given away at once, or only after a while."""
    node_status: NodeStatusName
    """Whether a drained node keeps its rows, which are picked, or loses them and gets no more requests."""
    monitor: MonitoringName
    """Whether the health monitor takes a replica that does not answer in time for dead."""
    reaper: ReaperName
    """Whether the reconciler deletes a row after one failed probe, or after three refusals in a row. `worker_first` is
    like `third_miss`, and sends health calls only to rows whose worker does not answer; also, a row whose load must
    have ended, but that is not loaded, goes with its process."""
    load_info: LoadInfoName
    """Whether the way to load a model is forgotten with its last row, or kept."""
    exact_stop: ExactStopName
    """Whether a worker finds a process of an old revision only by its loopback address, which is no other machine's, or
    by the replica's key."""
    edits: ModelEditsName
    """Whether an edit of a model's options unloads the replicas that are loaded, or makes all earlier rows obsolete."""
    pressure: PressureName
    """Whether the reconciler adds a replica when the policy `prefix_cache` has lately kept a request from the replica
    that knows its prompt."""
    scaling: ScalingName
    """Whether the reconciler scales one model after the other and then compares rows with processes, however long the
    loads take, or goes on beside loads that have taken as long as a row takes to become stale."""
    passes: PassRuleName
    """Whether every frontend makes a pass in each interval, or only the first one."""
    drain: Literal["at_once", "when_idle"]
    """Whether a drained node stops its processes at once, or when their requests have ended."""

    def settings(self) -> ControlSettings:
        """Return the settings that the routing code uses.

        Installs, ports and draining belong to the workers, and what a node's status does to its rows to the registry.
        """
        return ControlSettings(
            loads=self.loads,
            load_limit=self.load_limit,
            load_retry=self.load_retry,
            load_wait_ns=self.load_wait_ns,
            load_rows=self.load_rows,
            placement=self.placement,
            slots=self.slots,
            disk=self.disk,
            release=self.release,
            monitor=self.monitor,
            reaper=self.reaper,
            load_info=self.load_info,
            exact_stop=self.exact_stop,
            edits=self.edits,
            pressure=self.pressure,
            scaling=self.scaling,
            passes=self.passes,
        )


class RouterSpec(Spec):
    """How the frontends route. Every key that is not written comes from the profile.

    A variant of the file that names a profile starts from that profile, and the base's `router` does not apply to it.
    A variant that names none changes single keys of the base's router.
    """

    profile: ProfileName
    """Router profile that supplies every key not written here; `fixed` if not given."""
    policy: Policy
    """How a replica is chosen among the loaded ones: a built-in policy, an installed one, or code of your own."""
    client_cache: ClientCacheName
    """Whether a frontend reuses its first route to a model, or routes every request."""
    liveness: LivenessName
    """Whether a frontend asks its newest client of a model for its health after each route, and under which locks.

    `coarse_lock` is one lock for all models, so that a busy process holds up every request of the frontend. `fine_lock`
    is one for each model. A sticky client is always asked under the coarse one, unless this is `none`.
    """
    failure_domain: FailureDomainName
    """Whether a refused connection costs that replica alone, or unloads its model on every node."""
    cancellation: CancellationName
    """Whether a client that leaves cancels its pick, probe and load, or nothing until its call has begun."""
    reservation: ReservationName
    """When the 1 is given back that a pick has added, if the request leaves before its call."""
    on_registry_error: OnRegistryErrorName
    """Whether a request goes on, uncounted, when a write about its route fails, or fails as well."""
    on_failed_decrement: OnFailedDecrementName
    """Whether a count stays on the row that the registry did not take when a request ended, or is tried again."""
    on_wrong_model: OnWrongModelName
    """Whether a replica that turns out not to hold the model keeps its row, or loses it."""
    retry: RetryName
    """Whether a failed call is made again on another replica, up to three calls in all: `none`, `other_replica`, or
    `throttled`, which stops where more than about a tenth of the calls fail."""
    call_timeout_ns: Duration | None = Field(default=None, alias="call_timeout", gt=0)
    """Time after which a call without an answer is given up, and has failed; never if not given."""
    selector: SelectorName
    """Whether a pick keeps to the nodes that a model's selector matches, or its route is given up if it did not."""
    probe: ProbeSpec
    """How a picked replica is probed before a request is sent to it."""
    control: ControlSpec
    """How replicas are loaded, placed and removed."""
    pick: Literal["serial", "read_committed", "locked"]
    """How simultaneous picks see each other: one by one, by committed rows only, or locked."""

    replica_list: ReplicaListSpec | None = None
    """From what list of its own a frontend picks; each pick is a transaction with the registry if not given."""

    @model_validator(mode="before")
    @classmethod
    def _profile_under_written_keys(cls, written: Any) -> Any:
        return with_profile_defaults(written) if isinstance(written, dict) else written

    def settings(self) -> FrontendSettings:
        """Return the settings that the routing code uses."""
        return FrontendSettings(
            client_cache=self.client_cache,
            liveness=self.liveness,
            failure_domain=self.failure_domain,
            cancellation=self.cancellation,
            reservation=self.reservation,
            on_registry_error=self.on_registry_error,
            on_failed_decrement=self.on_failed_decrement,
            on_wrong_model=self.on_wrong_model,
            retry=self.retry,
            call_limit_ns=self.call_timeout_ns,
            selector=self.selector,
            replica_list=None if self.replica_list is None else self.replica_list.settings(),
            probe=self.probe.settings(),
            control=self.control.settings(),
        )
