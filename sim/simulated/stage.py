"""All of a simulated world that a fault can take hold of."""

from collections.abc import Mapping
from dataclasses import dataclass

from sim.routing.clients import Clients
from sim.routing.load_jobs import LoadJobs
from sim.routing.ports import Journal
from sim.scenario import Scenario
from sim.simulated.backend import BackendProcess
from sim.simulated.database import Database
from sim.simulated.frontend_host import FrontendHost
from sim.simulated.node_agent import NodeAgent
from sim.simulated.pace import VariablePace
from sim.simulated.progress import Progress
from sim.simulated.runtime import SimulatedRuntime
from sim.simulated.worker import SimulatedWorkers


@dataclass(frozen=True, slots=True)
class Stage:
    """The parts of a world, as they stand when the run begins."""

    scenario: Scenario
    runtime: SimulatedRuntime
    journal: Journal
    database: Database
    registry: LoadJobs
    """The way to the database that nodes and operators take: no frontend's."""
    workers: SimulatedWorkers
    processes: Mapping[str, BackendProcess]
    """What runs, by address."""
    paces: Mapping[str, VariablePace]
    """How each node gets on, with all that runs there; by node."""
    agents: Mapping[str, NodeAgent]
    """By node."""
    frontends: Mapping[int, FrontendHost]
    """By index."""
    clients: Clients
    progress: Progress
    """How far each request has come."""
