"""What a scenario is made of, as typed, frozen values; the file's keys are the aliases."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from sim.routing.model_config import ModelConfig
from sim.routing.settings import ControlPlaneSettings
from sim.scenario.plan.streams import MOST_SEED
from sim.scenario.spec.base import Name, Spec, wrong
from sim.scenario.spec.control_plane import ControlPlaneSpec, SchedulingSpec
from sim.scenario.spec.faults import FaultSpec
from sim.scenario.spec.nodes import NodeSpec
from sim.scenario.spec.policy import PolicySpec
from sim.scenario.spec.router import RouterSpec
from sim.scenario.spec.service import ServiceSpec
from sim.scenario.spec.workload import WorkloadSpec
from sim.scenario.text.errors import Path
from sim.scenario.text.units import Duration, Size

_S = 1_000_000_000


class BackendSpec(Spec):
    """The process that serves a replica."""

    engine: Literal["fifo"] = "fifo"
    workers: int = Field(default=1, ge=1, le=10_000)
    """Requests served at the same time."""
    health: Literal["serialized", "independent"] = "serialized"
    """Whether a health call waits its turn behind requests."""
    install_time_ns: Duration = Field(default=2 * _S, alias="install_time")
    load_time_ns: Duration = Field(default=20 * _S, alias="load_time")


class ReplicaSpec(Spec):
    """A replica that is there without being asked for. Entries on one node are numbered from 0."""

    node: str
    ready_at_ns: Duration = Field(default=0, alias="ready_at")
    address: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+:[0-9]{1,5}$", max_length=256)] | None = None
    """Where a backend of one's own listens, for `sim live` to use in place of a worker process; else without effect."""


class ModelSpec(Spec):
    """A model and how it is served."""

    name: Name
    vram_bytes: Size = Field(default=0, alias="vram")
    """0 if unknown, which fits anywhere."""
    disk_bytes: Size = Field(default=0, alias="disk")
    """Size of its files; 0 if unknown."""
    scheduling: SchedulingSpec = SchedulingSpec.model_validate({})
    backend: BackendSpec = BackendSpec()
    service: ServiceSpec
    replicas: Annotated[tuple[ReplicaSpec, ...], Field(max_length=10_000)] = ()

    def numbered_replicas(self) -> Iterator[tuple[int, ReplicaSpec]]:
        """Yield each replica with its index on its node, in the order of the file."""
        taken: Counter[str] = Counter()
        for replica in self.replicas:
            yield taken[replica.node], replica
            taken[replica.node] += 1

    def config(self) -> ModelConfig:
        """Return what a frontend is to know of the model."""
        return ModelConfig(
            name=self.name,
            vram_bytes=self.vram_bytes,
            disk_bytes=self.disk_bytes,
            selector=self.scheduling.selector,
            conflicts=self.scheduling.conflicts,
            min_replicas=self.scheduling.min_replicas,
            max_replicas=self.scheduling.max_replicas,
            spread=self.scheduling.spread,
        )


class RegistrySpec(Spec):
    """The shared table of replicas."""

    transaction_ns: Duration = Field(default=2_000_000, alias="transaction")
    """Round trip of one statement."""
    pick_ns: Duration | None = Field(default=None, alias="pick")
    """Length of a pick, which is several statements; as long as any other transaction if not given."""

    @property
    def pick_length_ns(self) -> int:
        """How long a pick takes that waits for nobody."""
        return self.transaction_ns if self.pick_ns is None else self.pick_ns


class NetworkSpec(Spec):
    """Between frontends and backends."""

    latency_ns: Duration = Field(default=1_000_000, alias="latency")
    """One way."""


class Scenario(Spec):
    """One variant of a scenario file, complete: every default is filled in."""

    name: Name
    about: Annotated[str, StringConstraints(max_length=10_000)] = ""
    seed: int = Field(default=0, ge=0, le=MOST_SEED)
    duration_ns: Duration = Field(alias="duration", gt=0)
    """Arrivals stop here; the run then drains."""
    warmup_ns: Duration = Field(default=0, alias="warmup")
    """Requests that arrive earlier are left out of the metrics."""
    drain_limit_ns: Duration = Field(default=600 * _S, alias="drain_limit")
    tie_order: Literal["fifo", "shuffle"] = "fifo"
    nodes: Annotated[tuple[NodeSpec, ...], Field(min_length=1, max_length=1000)]
    models: Annotated[tuple[ModelSpec, ...], Field(min_length=1, max_length=1000)]
    frontends: int = Field(default=1, ge=1, le=1000)
    registry: RegistrySpec = RegistrySpec()
    network: NetworkSpec = NetworkSpec()
    control_plane: ControlPlaneSpec | None = None
    """Absent where no loops run, in scenarios of the request path alone."""
    router: RouterSpec = Field(default_factory=lambda: RouterSpec.model_validate({}))
    workload: Annotated[tuple[WorkloadSpec, ...], Field(max_length=1000)]
    """May be empty where there is a control plane to watch."""
    faults: Annotated[tuple[FaultSpec, ...], Field(max_length=1000)] = ()

    def configs_by_model(self) -> dict[str, ModelConfig]:
        """Return what a frontend is to know of each model, by name, in the order of the file."""
        return {model.name: model.config() for model in self.models}

    def loops(self) -> ControlPlaneSettings | None:
        """Return which loops every frontend runs; None for none."""
        return None if self.control_plane is None else self.control_plane.settings()

    def router_of(self, frontend: int) -> RouterSpec:
        """Return how the frontend of this index routes: as the last fault says that gives it a router of its own."""
        own = [fault.router for fault in self.faults if fault.kind == "mixed_policy" and fault.frontend == frontend]
        return own[-1] if own else self.router


def with_policies(scenario: Scenario, change: Callable[[PolicySpec, Path], PolicySpec]) -> Scenario:
    """Return the scenario with its policies changed, each given with its path: the router's, and single frontends'."""

    def changed(router: RouterSpec, path: Path) -> RouterSpec:
        return router.model_copy(update={"policy": change(router.policy, (*path, "router", "policy"))})

    faults = tuple(
        fault.model_copy(update={"router": changed(fault.router, ("faults", index))})
        if fault.kind == "mixed_policy"
        else fault
        for index, fault in enumerate(scenario.faults)
    )
    return scenario.model_copy(update={"router": changed(scenario.router, ()), "faults": faults})


class Expectation(Spec):
    """A bound that a metric must keep, for one variant or for all."""

    metric: str
    variant: str | None = None
    min: float | None = None
    max: float | None = None
    above: str | None = None
    """Variant whose value this one must exceed."""
    below: str | None = None
    """Variant whose value this one must stay under."""
    after_ns: Duration | None = Field(default=None, alias="after")
    """Only requests that arrive at this time or later count."""
    before_ns: Duration | None = Field(default=None, alias="before")
    """Only requests that arrive earlier than this count."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        compared = self.above is not None or self.below is not None
        if self.min is None and self.max is None and not compared:
            raise wrong("", "found no bound; allowed: at least one of min, max, above, below")
        if compared and self.variant is None:
            raise wrong("variant", "missing; above and below compare it with another variant")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise wrong("min", f"found {self.min} above max; allowed: at most {self.max}")
        if self.after_ns is not None and self.before_ns is not None and self.after_ns >= self.before_ns:
            raise wrong("after", "found a window without length; allowed: earlier than before")
        return self
