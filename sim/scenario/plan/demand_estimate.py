"""A rough count of a scenario's requests and ticks, so that one that takes too much memory or time can be refused."""

import math

from sim.routing.units import NS_PER_S
from sim.scenario.spec.control_plane import ControlPlaneSpec
from sim.scenario.spec.schema import Scenario
from sim.scenario.spec.service import service_law
from sim.scenario.spec.workload import (
    BurstWorkload,
    ClosedWorkload,
    PoissonWorkload,
    TraceWorkload,
    UniformWorkload,
    WorkloadSpec,
)

MOST_REQUESTS = 10_000_000
MOST_TICKS = 10_000_000
MOST_UNEXPECTED = 1_000_000
"""Requests that a run may have beyond twice the expected ones."""


def horizon_ns(scenario: Scenario, workload: WorkloadSpec) -> int:
    """Return the instant from which the workload sends nothing."""
    stop_ns = scenario.duration_ns if workload.stop_ns is None else workload.stop_ns
    return min(stop_ns, scenario.duration_ns)


def expected_requests(scenario: Scenario) -> float:
    """Return the expected number of requests over all workloads; for closed ones an upper estimate."""
    return math.fsum(_expected(scenario, workload) for workload in scenario.workload)


def most_requests(scenario: Scenario) -> int:
    """Return how many requests a run may have: clients may send requests that have failed again and again."""
    return 2 * math.ceil(expected_requests(scenario)) + MOST_UNEXPECTED


def is_endless(scenario: Scenario, workload: WorkloadSpec) -> bool:
    """Tell whether users could send requests for ever without time passing."""
    return isinstance(workload, ClosedWorkload) and _cycle_ns(scenario, workload) == 0


def expected_ticks(scenario: Scenario, control_plane: ControlPlaneSpec) -> int:
    """Return how often nodes send heartbeats and loops begin a pass, if the run lasts as long as it may."""
    loops = (control_plane.health_monitor, control_plane.reconciler)
    ticking = [(len(scenario.nodes), control_plane.heartbeat_ns)]
    ticking += [(scenario.frontends.count, loop.tick_ns) for loop in loops if loop is not None]
    longest_ns = scenario.duration_ns + scenario.drain_limit_ns
    return sum(count * (longest_ns // tick_ns) for count, tick_ns in ticking)


def _expected(scenario: Scenario, workload: WorkloadSpec) -> float:
    end_ns = horizon_ns(scenario, workload)
    if isinstance(workload, TraceWorkload):
        return min(len(workload.trace.arrival_ns), workload.limit or math.inf)
    if isinstance(workload, BurstWorkload):
        span_ns = max(0, end_ns - workload.at_ns)
        return workload.requests * (math.ceil(span_ns / workload.every_ns) if workload.every_ns else 1)
    span_ns = max(0, end_ns - workload.start_ns)
    if isinstance(workload, (PoissonWorkload, UniformWorkload)):
        return workload.rate_per_s * span_ns / NS_PER_S
    return _expected_of_users(scenario, workload, span_ns)


def _expected_of_users(scenario: Scenario, workload: ClosedWorkload, span_ns: int) -> float:
    """Return the lower of what the users can send and what all slots of all nodes can serve."""
    cycle_ns = _cycle_ns(scenario, workload)
    if not cycle_ns:
        return 0.0  # Endless: reported as such.
    sent = workload.users * (1 + span_ns / cycle_ns)
    times_ns = _service_ns(scenario, workload)
    if not all(times_ns):
        return sent
    workers = next(model for model in scenario.models if model.name == workload.model).backend.workers
    served = sum(node.slots * workers / time for node, time in zip(scenario.nodes, times_ns, strict=True)) * span_ns
    return min(sent, workload.users + served)


def _cycle_ns(scenario: Scenario, workload: ClosedWorkload) -> float:
    """Return the mean time of a user's round when nobody else is there."""
    return workload.think.mean_ns + min(_service_ns(scenario, workload)) + 2 * scenario.network.latency_ns


def _service_ns(scenario: Scenario, workload: ClosedWorkload) -> list[int]:
    """Return the mean service time on each node."""
    service = next(model.service for model in scenario.models if model.name == workload.model)
    if service.profile is not None and any(node.hardware is None for node in scenario.nodes):
        return [0] * len(scenario.nodes)  # Reported by itself.
    prompt, output = round(workload.prompt_tokens.mean), round(workload.output_tokens.mean)
    return [sum(service_law(service, node)(prompt, output, service.mean_ns or 0)) for node in scenario.nodes]
