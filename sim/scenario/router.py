"""How the frontends route: a profile, and whatever the scenario sets otherwise."""

from typing import Any, Literal

from pydantic import Field, model_validator

from sim.scenario.base import Spec
from sim.scenario.profiles import ProfileName, with_profile_defaults
from sim.scenario.units import Duration


class ProbeSpec(Spec):
    """Health probes before a pick is trusted."""

    ttl_ns: Duration = Field(alias="ttl")
    """A success younger than this, strictly, spares a probe."""
    timeout_ns: Duration = Field(alias="timeout", gt=0)
    singleflight: bool
    """Whether simultaneous callers share one probe."""
    flight: Literal["leader_owned", "detached"]
    """Whether a shared probe dies with the caller that began it."""
    on_timeout: Literal["remove_row", "keep_row"]
    refresh: Literal["probes", "calls"]
    """What counts as a sign of life: probes alone, or successful calls as well."""


class RouterSpec(Spec):
    """The router's variant. Every key not written comes from the profile.

    A variant of the file that names a profile starts from it, and what the base wrote under `router` does not carry
    over; a variant that names none changes single keys of the base's router.
    """

    profile: ProfileName
    policy: Literal["best_replica"]
    client_cache: Literal["sticky", "per_request"]
    probe: ProbeSpec
    pick: Literal["serial", "read_committed", "locked"]

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
