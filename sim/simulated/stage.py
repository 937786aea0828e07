"""All of a simulated world that a fault can take hold of."""

from collections.abc import Mapping
from dataclasses import dataclass

from sim.routing.clients import Clients
from sim.routing.ports import Journal
from sim.routing.registry import Registry
from sim.scenario import Scenario
from sim.simulated.frontend_host import FrontendHost
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.backend import BackendProcess
from sim.simulated.nodes.node_agent import NodeAgent
from sim.simulated.nodes.work_speed import VariableSpeed
from sim.simulated.nodes.worker import SimulatedWorkers
from sim.simulated.progress import Progress
from sim.simulated.registry.database import Database


@dataclass(frozen=True, slots=True)
class Stage:
    """The parts of a world, as they stand when the run begins."""

    scenario: Scenario
    runtime: SimulatedRuntime
    journal: Journal
    database: Database
    registry: Registry
    """The way to the database that nodes and operators take: no frontend's."""
    workers: SimulatedWorkers
    processes: Mapping[str, BackendProcess]
    """What runs, by address."""
    speeds: Mapping[str, VariableSpeed]
    """How each node gets on, with all that runs there; by node."""
    agents: Mapping[str, NodeAgent]
    """By node."""
    frontends: Mapping[int, FrontendHost]
    """By index."""
    clients: Clients
    progress: Progress
    """How far each request has come."""
