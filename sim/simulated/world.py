"""The simulated world of one run: its parts, connected through the faults that befall them, and the run itself."""

from collections.abc import Iterator, Sequence
from functools import partial

from sim.programs.at_work import Programs
from sim.routing.clients import Serve
from sim.routing.control_plane.background import Rank
from sim.routing.fleet import RowState
from sim.routing.frontend import FrontendCore, NewChooser, build_frontend
from sim.routing.journal import hears
from sim.routing.policies.watched import WatchedChooser
from sim.routing.ports import Clock, FrontendPorts
from sim.routing.registry import Registry
from sim.routing.replica import ReplicaKey
from sim.scenario import NodeSpec, Plan
from sim.scenario.policies.making import policy_of
from sim.simulated.faults.catalogue import make_faults
from sim.simulated.frontend_host import FrontendHost
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.interposed_runtime import SkewedRuntime
from sim.simulated.kernel.livelock import most_events_at_once
from sim.simulated.machine import IDEAL, Machine
from sim.simulated.nodes.backend import SimulatedDialer
from sim.simulated.nodes.node_agent import NodeAgent
from sim.simulated.nodes.settings import node_facts
from sim.simulated.parts import make_parts
from sim.simulated.registry.load_jobs import SimulatedLoadJobs
from sim.simulated.registry.pick_modes import new_pick_mode

NO_FRONTEND = -1
"""Stands for a frontend's index where nodes, not a frontend, reach the registry."""


class World:
    """Nodes, registry, frontends and clients on one clock, and the faults that befall them."""

    def __init__(self, plan: Plan, observers: Sequence[object], programs: Programs, machine: Machine = IDEAL) -> None:
        """The observers are told of everything, in their order. `programs` starts those that pick.

        Raises TypeError for an object that is no observer, and PolicyError if a policy cannot be made.
        """
        self.parts = parts = make_parts(plan, observers, machine.law_of)
        self._programs = programs
        self._machine = machine
        self._scenario = plan.scenario
        self._models = plan.scenario.configs_by_model()
        self._registries: list[SimulatedLoadJobs] = []
        self._faults = make_faults(parts)
        nodes_registry = self._ports(NO_FRONTEND).registry
        for node in self._scenario.nodes:
            parts.agents[node.name] = self._agent(node, nodes_registry)
        refused_after_ns = 2 * self._scenario.network.latency_ns
        for index in range(self._scenario.frontends.count):
            host = FrontendHost(parts.runtime, parts.journal, partial(self._frontend, index), refused_after_ns)
            parts.frontends[index] = host
            parts.entrances[index] = self._entrance(index, host)

    @property
    def transactions(self) -> int:
        """How many the frontends and the nodes have begun."""
        return sum(registry.transactions for registry in self._registries)

    def run(self) -> None:
        """Run until every request has ended, or the limit on draining is reached.

        With loops or faults in the background the run lasts as long as the scenario at least, requests or none. Raises
        RuntimeError, a bug of ours, if all have ended and somebody still holds a place in a queue, and Livelock if the
        events of one instant have no end.
        """
        runtime = self.parts.runtime
        if self._scenario.control_plane is not None or self._faults:
            self._start_background()
        self._bring_up_replicas()
        self._start_clients()
        end_ns = self._scenario.duration_ns + self._scenario.drain_limit_ns
        all_ended = runtime.run_tasks(end_ns, most_events_at_once(self._members()))
        if all_ended and not runtime.background and not self._faults and not self._is_idle():
            raise RuntimeError("all tasks have ended, and a worker slot or a lock is still held")

    def _agent(self, node: NodeSpec, registry: Registry) -> NodeAgent:
        control_plane = self._scenario.control_plane
        heartbeat_ns = None if control_plane is None else control_plane.heartbeat_ns
        worker, facts = self.parts.workers.nodes[node.name], node_facts(self._scenario, node)
        return NodeAgent(self.parts.runtime, self.parts.journal, registry, worker, facts, heartbeat_ns)

    def _frontend(self, index: int) -> FrontendCore:
        router, rank = self._scenario.router_of(index), Rank(index, self._scenario.frontends.count)
        return build_frontend(
            router.settings(),
            self._ports(index),
            self._models,
            self._scenario.loops(),
            rank,
            self._policy(index),
        )

    def _policy(self, index: int) -> NewChooser:
        policy, seed = self._scenario.router_of(index).policy, self.parts.plan.seed
        new_chooser = policy_of(policy, seed, index, self._programs)
        journal = self.parts.journal
        if not hears(journal, "chose"):
            return new_chooser
        return lambda clock: WatchedChooser(new_chooser(clock), journal)

    def _ports(self, index: int) -> FrontendPorts:
        parts, scenario = self.parts, self._scenario
        clock: Clock = parts.runtime
        for fault in self._faults:
            clock = fault.skew(index, clock)
        hold = self._machine.hold_of_picks(index, parts.runtime, scenario.registry.pick_length_ns)
        pick_mode = new_pick_mode(scenario.router_of(index).pick, parts.database, hold, parts.journal.lock_waited)
        registry = SimulatedLoadJobs(parts.runtime, clock, parts.database, pick_mode, parts.journal)
        self._registries.append(registry)
        ports = FrontendPorts(
            runtime=parts.runtime if clock is parts.runtime else SkewedRuntime(parts.runtime, clock),
            registry=registry,
            dialer=SimulatedDialer(parts.runtime, parts.processes, scenario.network.latency_ns),
            worker=parts.workers,
            journal=parts.journal,
        )
        ports = self._machine.around(index, parts.runtime, ports)
        for fault in self._faults:
            ports = fault.around(index, ports)
        return ports

    def _entrance(self, index: int, host: FrontendHost) -> Serve:
        """Return what clients call; by way of the host only where something may happen to it."""
        if host.frontend is not None and not self._faults:
            return self._machine.around_serve(index, self.parts.runtime, host.frontend.serve)
        serve: Serve = host.serve
        for fault in self._faults:
            serve = fault.around_serve(index, serve)
        return self._machine.around_serve(index, self.parts.runtime, serve)

    def _start_background(self) -> None:
        runtime = self.parts.runtime
        runtime.spawn(self._last(), "the scenario's time")
        for fault in self._faults:
            runtime.spawn_background(fault.happen(), "fault")
        for agent in self.parts.agents.values():
            runtime.spawn_background(agent.beat_for_ever(), "heartbeats")
        for host in self.parts.frontends.values():
            host.start_loops()

    async def _last(self) -> None:
        await self.parts.runtime.sleep(self._scenario.duration_ns)

    def _bring_up_replicas(self) -> None:
        for model in self._scenario.models:
            for index, replica in model.numbered_replicas():
                key = ReplicaKey(replica.node, model.name, index)
                self.parts.runtime.spawn(self._bring_up(key, replica.ready_at_ns), f"bring up {key}")

    async def _bring_up(self, key: ReplicaKey, ready_at_ns: int) -> None:
        parts = self.parts
        if ready_at_ns:
            await parts.runtime.sleep(ready_at_ns)
        node = parts.workers.nodes[key.node]
        if not node.is_up or key in node.processes:
            return
        process = parts.workers.start(key)
        process.hold(key.model)
        revision = parts.database.table.revisions.get(key.model, "")
        parts.database.publish(key, process.address, 0, parts.runtime.wall_ns(), RowState.LOADED, revision)
        parts.journal.row_published(key, "scenario")

    def _start_clients(self) -> None:
        runtime, clients, plan = self.parts.runtime, self.parts.clients, self.parts.plan
        runtime.spawn(clients.send_as_planned(plan.open), "arrivals")
        for number, user in enumerate(plan.closed_users):
            runtime.spawn(clients.take_turns(user), f"user {number}")

    def _members(self) -> int:
        """Return how many requests, users and possible rows may all do something at the same instant."""
        scenario = self._scenario
        users = sum(workload.users for workload in scenario.workload if workload.kind == "closed")
        rows = scenario.frontends.count * len(scenario.nodes) * len(scenario.models)
        return len(self.parts.plan.open) + users + rows

    def _is_idle(self) -> bool:
        engines = (process.engine for process in self.parts.processes.values())
        return all(engine.is_idle() for engine in engines) and all(lock.is_idle() for lock in self._locks())

    def _locks(self) -> Iterator[FifoQueue]:
        for node in self.parts.workers.nodes.values():
            yield from node.install_queues()
        yield from self.parts.database.locks()
