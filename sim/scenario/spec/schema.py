"""What a scenario is made of, as typed, frozen values; the file's keys are the aliases."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sim.routing.fleet import NodeFacts
from sim.routing.settings import ControlPlaneSettings, ModelConfig
from sim.routing.units import NS_PER_S
from sim.scenario.spec.base import MOST_SEED, Name, Spec, wrong
from sim.scenario.spec.control_plane import ControlPlaneSpec, SchedulingSpec
from sim.scenario.spec.engines import EngineName, HealthName
from sim.scenario.spec.faults import AnyFaultSpec
from sim.scenario.spec.faults.frontend import MixedPolicyFault
from sim.scenario.spec.frontends import FrontendsSpec
from sim.scenario.spec.nodes import NodeSpec
from sim.scenario.spec.policy import PolicySpec
from sim.scenario.spec.router import RouterSpec
from sim.scenario.spec.service import ServiceSpec, relative_speed
from sim.scenario.spec.workload import WorkloadSpec
from sim.scenario.text.errors import Path
from sim.scenario.text.units import Duration, Size


class BackendSpec(Spec):
    """The process that serves a replica."""

    engine: EngineName = "fifo"
    """What the process does with its calls: `fifo` serves them first come, first served."""
    workers: int = Field(default=1, ge=1, le=10_000)
    """Number of requests that one process serves at the same time."""
    health: HealthName = "serialized"
    """What a health call waits for: `serialized` for all requests that came before it, `event_loop` for the end of the
    one that runs (an asynchronous server that each request blocks, so with one worker), `independent` for none."""
    install_time_ns: Duration = Field(default=2 * NS_PER_S, alias="install_time")
    """Time that a node takes to install the backend before its first load there."""
    load_time_ns: Duration = Field(default=20 * NS_PER_S, alias="load_time")
    """Time that a process takes to load the model."""
    prompt_cache_blocks: int = Field(default=0, ge=0, le=1_000_000_000, alias="prompt_cache")
    """Blocks of prompts that a process keeps, the least recently used dropped first. A prompt that begins with cached
    blocks takes that much less prefill. `sim live` has no such cache."""

    @model_validator(mode="after")
    def _has_one_loop(self) -> Self:
        if self.health == "event_loop" and self.workers != 1:
            raise wrong("workers", f"found {self.workers}; allowed: 1 with health: event_loop, as a request blocks it")
        return self


def _with_a_port(address: str) -> str:
    port = int(address.rpartition(":")[2])
    if not 0 < port < 1 << 16:
        raise ValueError(f"found port {port}; allowed: from 1 to 65535")
    return address


Address = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._-]+:[0-9]{1,5}$", max_length=256),
    AfterValidator(_with_a_port),
]
"""A host and a port."""


class ReplicaSpec(Spec):
    """A replica that exists without a cold load. Entries on one node are numbered from 0."""

    node: str
    """Name of the node that the replica runs on."""
    ready_at_ns: Duration = Field(default=0, alias="ready_at")
    """Time at which the replica is loaded and its row is in the registry."""
    address: Address | None = None
    """Address of a backend of your own that `sim live` uses instead of a worker process; `sim run` ignores it."""


class ModelSpec(Spec):
    """A model and how it is served."""

    name: Name
    """Name of the model, by which workloads and faults refer to it."""
    vram_bytes: Size = Field(default=0, alias="vram")
    """Memory that one replica needs; 0 if unknown, which fits on every node."""
    disk_bytes: Size = Field(default=0, alias="disk")
    """Size of the model's files; 0 if unknown."""
    scheduling: SchedulingSpec = SchedulingSpec.model_validate({})
    """Where replicas of the model may run, and how many there should be."""
    backend: BackendSpec = BackendSpec()
    """The process that serves a replica of the model."""
    service: ServiceSpec
    """How long a request keeps a replica busy."""
    replicas: Annotated[tuple[ReplicaSpec, ...], Field(max_length=10_000)] = ()
    """Replicas that exist without a cold load. Those of one node are numbered from 0."""

    def numbered_replicas(self) -> Iterator[tuple[int, ReplicaSpec]]:
        """Yield each replica with its index on its node, in the order of the file."""
        taken: Counter[str] = Counter()
        for replica in self.replicas:
            yield taken[replica.node], replica
            taken[replica.node] += 1

    def config(self) -> ModelConfig:
        """Return what a frontend knows of the model."""
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
    """Time that one transaction takes."""
    pick_ns: Duration | None = Field(default=None, alias="pick")
    """Time that a pick takes, which is several statements; that of a transaction if not given."""

    @property
    def pick_length_ns(self) -> int:
        """How long a pick takes if it waits for no other."""
        return self.transaction_ns if self.pick_ns is None else self.pick_ns


class NetworkSpec(Spec):
    """The network between frontends and backends."""

    latency_ns: Duration = Field(default=1_000_000, alias="latency")
    """Time that a message takes in one direction."""


class Scenario(Spec):
    """One variant of a scenario file, complete: every default is filled in."""

    name: Name
    """Name of the scenario, for tables and files."""
    about: Annotated[str, StringConstraints(max_length=10_000)] = ""
    """What the scenario shows, for people."""
    seed: int = Field(default=0, ge=0, le=MOST_SEED)
    """Seed of every random stream of the run."""
    duration_ns: Duration = Field(alias="duration", gt=0)
    """Time at which arrivals stop. The run then drains."""
    warmup_ns: Duration = Field(default=0, alias="warmup")
    """Requests that arrive before this time are left out of the metrics."""
    drain_limit_ns: Duration = Field(default=600 * NS_PER_S, alias="drain_limit")
    """Longest time that the run goes on after `duration` for requests to end."""
    tie_order: Literal["fifo", "shuffle"] = "fifo"
    """Order of events at the same instant: as they were scheduled, or shuffled by the seed."""
    nodes: Annotated[tuple[NodeSpec, ...], Field(min_length=1, max_length=1000)]
    """The machines that take replicas."""
    models: Annotated[tuple[ModelSpec, ...], Field(min_length=1, max_length=1000)]
    """The models that are served."""
    frontends: FrontendsSpec = FrontendsSpec()
    """The frontends, and which of them takes which request; a whole number stands for that many, dealt in turn."""
    registry: RegistrySpec = RegistrySpec()
    """The database that the frontends share."""
    network: NetworkSpec = NetworkSpec()
    """The network between frontends and nodes."""
    control_plane: ControlPlaneSpec | None = None
    """Background loops of every frontend; none run if not given."""
    router: RouterSpec = Field(default_factory=lambda: RouterSpec.model_validate({}))
    """How the frontends route."""
    workload: Annotated[tuple[WorkloadSpec, ...], Field(max_length=1000)]
    """The sources of requests. It may be empty if there is a control plane to watch."""
    faults: Annotated[tuple[AnyFaultSpec, ...], Field(max_length=1000)] = ()
    """What goes wrong during the run."""

    def configs_by_model(self) -> dict[str, ModelConfig]:
        """Return what a frontend knows of each model, by name, in the order of the file."""
        return {model.name: model.config() for model in self.models}

    def matching_nodes(self, model: ModelSpec) -> tuple[NodeSpec, ...]:
        """Return the nodes that have the labels that the model asks for."""
        return tuple(node for node in self.nodes if model.scheduling.selector.items() <= node.labels.items())

    def capacities_of(self, node: NodeSpec) -> dict[str, float]:
        """Return how fast the node serves each model, by name, where a node of speed 1 has 1."""
        return {model.name: relative_speed(model.service, node) for model in self.models}

    def facts_of(self, node: NodeSpec, address: str = "") -> NodeFacts:
        """Return what the node's worker says when it registers.

        `address` is where its first process is to listen; empty if the system chooses the ports.
        """
        return NodeFacts(
            name=node.name,
            address=address,
            slots=node.slots,
            total_vram_bytes=node.vram_bytes,
            total_disk_bytes=node.disk_bytes,
            labels=node.labels,
            capacities=self.capacities_of(node),
        )

    def loops(self) -> ControlPlaneSettings | None:
        """Return which loops every frontend runs; None for none."""
        return None if self.control_plane is None else self.control_plane.settings()

    def router_of(self, frontend: int) -> RouterSpec:
        """Return how the frontend of this index routes: as the last fault says that gives it a router of its own."""
        own = [one.router for one in self.faults if isinstance(one, MixedPolicyFault) and one.frontend == frontend]
        return own[-1] if own else self.router


def with_policies(scenario: Scenario, change: Callable[[PolicySpec, Path], PolicySpec]) -> Scenario:
    """Return the scenario with its policies changed, each given with its path: the router's, and single frontends'."""

    def changed(router: RouterSpec, path: Path) -> RouterSpec:
        return router.model_copy(update={"policy": change(router.policy, (*path, "router", "policy"))})

    faults = tuple(
        fault.model_copy(update={"router": changed(fault.router, ("faults", index))})
        if isinstance(fault, MixedPolicyFault)
        else fault
        for index, fault in enumerate(scenario.faults)
    )
    return scenario.model_copy(update={"router": changed(scenario.router, ()), "faults": faults})
