"""How the frontends route: a profile, and whatever the scenario sets otherwise."""

from typing import Any, Literal

from pydantic import Field, model_validator

from sim.routing.settings import (
    ClientCacheName,
    ColdLoadName,
    ControlSettings,
    FrontendSettings,
    LoadInfoName,
    LoadLimitName,
    MonitoringName,
    PassRuleName,
    PlacementName,
    ProbeSettings,
    ReadingName,
    ReaperName,
    ReleaseName,
    TeacherName,
)
from sim.scenario.spec.base import Spec
from sim.scenario.spec.policy import Policy
from sim.scenario.spec.profiles import ProfileName, with_profile_defaults
from sim.scenario.text.units import Duration


class ProbeSpec(Spec):
    """Health probes before a pick is trusted."""

    ttl_ns: Duration = Field(alias="ttl")
    """A success younger than this, strictly, spares a probe."""
    timeout_ns: Duration = Field(alias="timeout", gt=0)
    singleflight: bool
    """Whether simultaneous callers share one probe."""
    flight: Literal["leader_owned", "detached"]
    """Whether a shared probe dies with the caller that began it."""
    on_timeout: ReadingName
    refresh: TeacherName
    """What teaches the cache: probes alone, or calls as well, which refresh it if answered and clear it if refused."""

    def settings(self) -> ProbeSettings:
        """Return what the routing code is to go by."""
        return ProbeSettings(
            ttl_ns=self.ttl_ns,
            timeout_ns=self.timeout_ns,
            sharing=self.flight if self.singleflight else "unshared",
            on_timeout=self.on_timeout,
            refreshed_by=self.refresh,
        )


class ControlSpec(Spec):
    """How replicas come and go: in each pair, what the original does and what this project puts in its place."""

    loads: ColdLoadName
    """Whether a cold load runs inside the request that needs it, under the model's lock, or on its own."""
    load_limit: LoadLimitName
    """Whether a load may take 5 minutes, or 20 s more for each GiB; only the latter stops a process that is late."""
    load_wait_ns: Duration = Field(alias="load_wait", gt=0)
    """How long a request waits for a load that runs on its own before it is turned away."""
    placement: PlacementName
    """Whether an eviction may put a replica outside its selector, and conflicts count only where there is one."""
    release: ReleaseName
    """How a process is freed: some process of its node drops its model, or this very one ends."""
    ports: Literal["reuse", "quarantine"]
    """Whether a port may be given away the moment it is released."""
    monitor: MonitoringName
    """Whether the health monitor takes a replica that does not answer in time for dead."""
    reaper: ReaperName
    """Whether the reconciler deletes a row at the first probe that fails, or at the third refusal in a row."""
    load_info: LoadInfoName
    """Whether how to load a model is forgotten with its last row."""
    passes: PassRuleName
    """Whether every frontend's ticker makes a pass, or the first one in each interval."""
    drain: Literal["at_once", "when_idle"]
    """Whether a drained node stops its processes at once, or when their requests have ended."""

    def settings(self) -> ControlSettings:
        """Return what the routing code is to go by; ports and draining are the workers' business."""
        return ControlSettings(
            loads=self.loads,
            load_limit=self.load_limit,
            load_wait_ns=self.load_wait_ns,
            placement=self.placement,
            release=self.release,
            monitor=self.monitor,
            reaper=self.reaper,
            load_info=self.load_info,
            passes=self.passes,
        )


class RouterSpec(Spec):
    """The router's variant. Every key not written comes from the profile.

    A variant of the file that names a profile starts from it, and what the base wrote under `router` does not carry
    over; a variant that names none changes single keys of the base's router.
    """

    profile: ProfileName
    policy: Policy
    """Which replica a request gets: `best_replica`, an installed policy, or code of one's own."""
    client_cache: ClientCacheName
    probe: ProbeSpec
    control: ControlSpec
    pick: Literal["serial", "read_committed", "locked"]

    @model_validator(mode="before")
    @classmethod
    def _profile_under_written_keys(cls, written: Any) -> Any:
        return with_profile_defaults(written) if isinstance(written, dict) else written

    def settings(self) -> FrontendSettings:
        """Return what the routing code is to go by."""
        return FrontendSettings(self.client_cache, self.probe.settings(), self.control.settings())
