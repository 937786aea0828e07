"""What a simulated world is made of: World connects the parts, and faults take hold of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from sim.observer import RunView, begin
from sim.routing.clients import Clients, Serve
from sim.routing.ports import Journal
from sim.routing.replica import ReplicaKey
from sim.routing.strategies import NODE_RULES
from sim.scenario import Plan, Scenario, stream
from sim.scenario.plan.demand_estimate import most_requests
from sim.simulated.frontend_host import FrontendHost
from sim.simulated.kernel.agenda import Tickets
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.backend import Processes
from sim.simulated.nodes.node_agent import NodeAgent
from sim.simulated.nodes.settings import LawOf, install_settings, new_worker_node, node_facts
from sim.simulated.nodes.work_speed import FULL_SPEED, VariableSpeed, WorkSpeed
from sim.simulated.nodes.worker import SimulatedWorkers
from sim.simulated.progress import RequestProgress
from sim.simulated.registry.database import SimulatedDatabase
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import registered


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one world.

    What nodes, frontends and clients reach of the world passes through the faults, and these are made from the parts.
    So `agents`, `frontends` and `entrances` are empty until the faults are made; they are complete when the run begins.
    """

    plan: Plan
    runtime: SimulatedRuntime
    journal: Journal
    database: SimulatedDatabase
    processes: Processes
    speeds: Mapping[str, VariableSpeed]
    """How fast each node works, by node; empty where no fault can change that."""
    workers: SimulatedWorkers
    clients: Clients
    progress: RequestProgress
    """How far each request has come; known in a run with faults."""
    agents: dict[str, NodeAgent]
    """What speaks for each node to the registry, by node."""
    frontends: dict[int, FrontendHost]
    """By index."""
    entrances: dict[int, Serve]
    """What the clients of each frontend call, by index."""

    @property
    def scenario(self) -> Scenario:
        """What is simulated."""
        return self.plan.scenario


def make_parts(plan: Plan, observers: Sequence[object], law_of: LawOf) -> Parts:
    """Return the parts of a new world, whose journal tells the observers. Raises TypeError for one that is none."""
    scenario = plan.scenario
    runtime = SimulatedRuntime(_tickets(scenario))
    processes = Processes()
    progress = RequestProgress()
    rows = [registered(node_facts(scenario, node), FifoQueue(runtime, 1), runtime.wall_ns()) for node in scenario.nodes]
    table = ReplicaTable(runtime, rows, NODE_RULES[scenario.router.control.node_status])
    # Only faults ask how far a request has come.
    told = [*observers, table, progress] if scenario.faults else [*observers, table]
    journal = begin(told, RunView(runtime, processes.__contains__, plan), runtime.report)
    database = SimulatedDatabase(runtime, table, scenario.registry.transaction_ns)
    speeds = {node.name: VariableSpeed(runtime) for node in scenario.nodes} if scenario.faults else {}
    agents: dict[str, NodeAgent] = {}
    report_vram = _vram_reporter(scenario, agents, table)
    workers = SimulatedWorkers(
        runtime,
        journal,
        {
            node.name: new_worker_node(runtime, scenario, node, report_vram, speeds.get(node.name, FULL_SPEED))
            for node in scenario.nodes
        },
        install_settings(scenario, law_of),
        lambda key: _speed_of_new_process(speeds, key),
        processes,
        scenario.network.latency_ns,
    )
    entrances: dict[int, Serve] = {}
    clients = Clients(runtime, journal, frontends=entrances, most_requests=most_requests(scenario))
    return Parts(
        plan=plan,
        runtime=runtime,
        journal=journal,
        database=database,
        processes=processes,
        speeds=speeds,
        workers=workers,
        clients=clients,
        progress=progress,
        agents=agents,
        frontends={},
        entrances=entrances,
    )


def _tickets(scenario: Scenario) -> Tickets:
    """Give the order among events of one instant: as scheduled, or shuffled by a stream of the run's own."""
    if scenario.tie_order == "fifo":
        return count()
    draw = stream(scenario.seed, "runtime", "events", "tie order").integers
    # The serial number in the low bits keeps tickets distinct when two draws are equal.
    return ((int(draw(1 << 62)) << 64) | serial for serial in count())


def _speed_of_new_process(speeds: Mapping[str, VariableSpeed], key: ReplicaKey) -> WorkSpeed:
    return speeds[key.node].of_new_process() if speeds else FULL_SPEED


def _vram_reporter(scenario: Scenario, agents: Mapping[str, NodeAgent], table: ReplicaTable) -> Callable[[str], None]:
    """Return what tells the registry at once what a node has free, where there are no heartbeats to do so."""

    def report(node: str) -> None:
        agent = agents[node]
        if scenario.control_plane is not None or not agent.node.is_up:
            return
        available_bytes = agent.alter(agent.node.report()).available_vram_bytes
        if available_bytes is not None:
            table.report_vram(node, available_bytes)

    return report
