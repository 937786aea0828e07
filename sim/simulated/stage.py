"""All of a simulated world that a fault can take hold of."""

from collections.abc import Mapping
from dataclasses import dataclass

from sim.routing.clients import Clients
from sim.routing.ports import Journal
from sim.scenario import Scenario
from sim.simulated.backend import BackendProcess
from sim.simulated.database import Database
from sim.simulated.frontend_host import FrontendHost
from sim.simulated.node_agent import NodeAgent
from sim.simulated.runtime import SimulatedRuntime
from sim.simulated.worker import SimulatedWorkers


@dataclass(frozen=True, slots=True)
class Stage:
    """The parts of a world, as they stand when the run begins."""

    scenario: Scenario
    runtime: SimulatedRuntime
    journal: Journal
    database: Database
    workers: SimulatedWorkers
    processes: Mapping[str, BackendProcess]
    """What runs, by address."""
    agents: Mapping[str, NodeAgent]
    """By node."""
    frontends: Mapping[int, FrontendHost]
    """By index."""
    clients: Clients
