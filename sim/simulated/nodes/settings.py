"""The settings of nodes and of their processes, from a scenario."""

from collections.abc import Callable, Mapping

from sim.routing.fleet import NodeFacts
from sim.routing.ports import Clock
from sim.routing.replica import ReplicaKey
from sim.scenario import ModelSpec, NodeSpec, Scenario, ServiceLaw
from sim.scenario.spec.router import InstallOrder
from sim.simulated.engines.port import EngineSettings, engine_named
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.backend import ProcessSettings
from sim.simulated.nodes.port_pool import PortPool
from sim.simulated.nodes.work_speed import WorkSpeed
from sim.simulated.nodes.worker import (
    FIRST_PORT,
    InstallSettings,
    NodeSettings,
    QueueOf,
    WorkerNode,
    common_queue,
    own_queue,
)

INSTALL_QUEUES: Mapping[InstallOrder, QueueOf] = {"one_by_one": common_queue, "by_backend": own_queue}

LawOf = Callable[[ModelSpec, NodeSpec], ServiceLaw]
"""Says how long a node takes for a model's requests."""


def node_facts(scenario: Scenario, node: NodeSpec) -> NodeFacts:
    """Return the node's facts for its registration."""
    return scenario.facts_of(node, f"{node.name}:{FIRST_PORT}")


def new_worker_node(
    runtime: SimulatedRuntime, scenario: Scenario, node: NodeSpec, on_change: Callable[[str], None], speed: WorkSpeed
) -> WorkerNode:
    """Return the machine, with nothing on it. `on_change` gets its name when what it has free changes."""
    return WorkerNode(
        runtime,
        NodeSettings(node.name, node.vram_bytes, node.disk_bytes),
        _port_pool(runtime, scenario.router.control.ports),
        on_change,
        speed,
        INSTALL_QUEUES[scenario.router.control.installs],
    )


def install_settings(scenario: Scenario, law_of: LawOf) -> Callable[[ReplicaKey], InstallSettings]:
    """Return a function for the settings of a replica's process."""
    models = {model.name: model for model in scenario.models}
    nodes = {node.name: node for node in scenario.nodes}

    def settings(key: ReplicaKey) -> InstallSettings:
        model = models[key.model]
        process = _process_settings(model, law_of(model, nodes[key.node]))
        return InstallSettings(process, model.backend.install_time_ns, model.vram_bytes, model.disk_bytes)

    return settings


def _process_settings(model: ModelSpec, law: ServiceLaw) -> ProcessSettings:
    engine = EngineSettings(
        workers=model.backend.workers,
        health=model.backend.health,
        service_law=law,
        has_prefill=model.service.has_prefill,
        prompt_cache_blocks=model.backend.prompt_cache_blocks,
    )
    return ProcessSettings(engine_named(model.backend.engine), engine, model.backend.load_time_ns)


def _port_pool(clock: Clock, ports: str) -> PortPool:
    if ports == "quarantine":
        return PortPool(clock, FIRST_PORT)
    return PortPool(clock, FIRST_PORT, quarantine_ns=0, affinity_ns=0)
