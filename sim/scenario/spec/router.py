"""How the frontends route: a profile, and whatever the scenario sets otherwise."""

from typing import Any, Literal

from pydantic import Field, model_validator

from sim.scenario.spec.base import Spec
from sim.scenario.spec.profiles import ProfileName, with_profile_defaults
from sim.scenario.text.units import Duration


class ProbeSpec(Spec):
    """Health probes before a pick is trusted."""

    ttl_ns: Duration = Field(alias="ttl")
    """Age below which a successful probe is trusted and spares the next one."""
    timeout_ns: Duration = Field(alias="timeout", gt=0)
    """Time after which a probe without an answer has failed."""
    singleflight: bool
    """Whether simultaneous callers share one probe."""
    flight: Literal["leader_owned", "detached"]
    """Whether a shared probe ends with the caller that began it, or runs by itself."""
    on_timeout: Literal["remove_row", "keep_row"]
    """Whether a probe without an answer deletes the replica's row or leaves it."""
    refresh: Literal["probes", "calls"]
    """Whether probes alone teach the cache, or answered and refused calls as well."""


class ControlSpec(Spec):
    """How replicas come and go: in each pair, what the original does and what this project puts in its place."""

    loads: Literal["inline", "job"]
    """Whether a cold load runs inside the request, under the model's lock, or as a job of its own."""
    load_limit: Literal["fixed", "by_size"]
    """Whether a load may take 5 minutes, or 20 s more for each GiB. Only the latter stops a late process."""
    load_wait_ns: Duration = Field(alias="load_wait", gt=0)
    """Longest time that a request waits for a load job before it is turned away."""
    placement: Literal["lenient", "strict"]
    """Whether an eviction may ignore selectors and one-sided conflicts."""
    release: Literal["unload", "stop"]
    """Whether some process of the node drops its model, or this very process ends."""
    ports: Literal["reuse", "quarantine"]
    """Whether a released port may be given away at once, or only after a while."""
    monitor: Literal["every_miss", "busy_is_alive"]
    """Whether the health monitor takes a replica that does not answer in time for dead."""
    reaper: Literal["first_miss", "third_miss"]
    """Whether the reconciler deletes a row after one failed probe, or after three refusals in a row."""
    load_info: Literal["with_rows", "kept"]
    """Whether the way to load a model is forgotten with its last row, or kept."""
    passes: Literal["every_frontend", "once_per_tick"]
    """Whether every frontend makes a pass in each interval, or only the first one."""
    drain: Literal["at_once", "when_idle"]
    """Whether a drained node stops its processes at once, or when their requests have ended."""


class RouterSpec(Spec):
    """The router's variant. Every key not written comes from the profile.

    A variant of the file that names a profile starts from it, and what the base wrote under `router` does not carry
    over; a variant that names none changes single keys of the base's router.
    """

    profile: ProfileName
    """Router profile that supplies every key not written here; `fixed` if not given."""
    policy: Literal["best_replica"]
    """How a replica is chosen among the loaded ones."""
    client_cache: Literal["sticky", "per_request"]
    """Whether a frontend reuses its first route to a model, or routes every request."""
    probe: ProbeSpec
    """How a picked replica is probed before a request is sent to it."""
    control: ControlSpec
    """How replicas are loaded, placed and removed."""
    pick: Literal["serial", "read_committed", "locked"]
    """How simultaneous picks see each other: one by one, by committed rows only, or locked."""

    @model_validator(mode="before")
    @classmethod
    def _profile_under_written_keys(cls, written: Any) -> Any:
        return with_profile_defaults(written) if isinstance(written, dict) else written

    @property
    def probe_ttl_ns(self) -> int:
        """How long a proof of life lasts."""
        return self.probe.ttl_ns

    @property
    def probe_timeout_ns(self) -> int:
        """How long a probe may take."""
        return self.probe.timeout_ns

    @property
    def probe_sharing(self) -> Literal["unshared", "leader_owned", "detached"]:
        """Who owns a probe that several callers wait for."""
        return self.probe.flight if self.probe.singleflight else "unshared"

    @property
    def on_probe_timeout(self) -> Literal["remove_row", "keep_row"]:
        """What a probe without an answer means."""
        return self.probe.on_timeout

    @property
    def refreshed_by(self) -> Literal["probes", "calls"]:
        """What proves a replica alive."""
        return self.probe.refresh
