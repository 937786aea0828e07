"""What must hold between the parts of a scenario, once each part is sound by itself."""

from collections import Counter
from collections.abc import Iterator

from sim.scenario.plan.demand_estimate import (
    MOST_REQUESTS,
    MOST_TICKS,
    expected_requests,
    expected_ticks,
    horizon_ns,
    is_endless,
)
from sim.scenario.spec.base import Spec
from sim.scenario.spec.faults.base import ReplicaTarget
from sim.scenario.spec.schema import ModelSpec, Scenario
from sim.scenario.spec.workload import BurstWorkload, TraceWorkload
from sim.scenario.text.errors import Path, found
from sim.scenario.text.units import format_duration, format_size

MOST_REPLICAS = 2000
"""Of all models. Replicas that a run adds do not count."""

Contradiction = tuple[Path, str]
"""A place in the document, and what is wrong there."""


def contradictions(scenario: Scenario) -> Iterator[Contradiction]:
    """Yield each contradiction between parts of the scenario."""
    yield from _times(scenario)
    for index, model in enumerate(scenario.models):
        yield from _placement(scenario, index, model)
        yield from _hardware(scenario, index, model)
        yield from _prompt_cache(index, model)
        yield from _scheduling(scenario, index, model)
    if len(scenario.nodes) * len(scenario.models) > 100_000:
        yield ("models",), f"found {len(scenario.models)} models; allowed: nodes times models up to 100,000"
    replicas = sum(len(model.replicas) for model in scenario.models)
    if replicas > MOST_REPLICAS:
        yield ("models",), f"found {replicas:,} replicas; allowed: {MOST_REPLICAS:,} in all"
    if not scenario.workload and scenario.control_plane is None:
        yield ("workload",), "found no entry; allowed: at least one, or none with a control_plane"
    for index, _ in enumerate(scenario.workload):
        yield from _workload(scenario, index)
    for index, fault in enumerate(scenario.faults):
        yield from _fault(scenario, index, fault)
    yield from _demand(scenario)


def _times(scenario: Scenario) -> Iterator[Contradiction]:
    if scenario.warmup_ns >= scenario.duration_ns:
        yield ("warmup",), _too_late(scenario.warmup_ns, scenario.duration_ns, "the duration")
    for index, model in enumerate(scenario.models):
        for number, replica in enumerate(model.replicas):
            if replica.ready_at_ns >= scenario.duration_ns:
                path = ("models", index, "replicas", number, "ready_at")
                yield path, _too_late(replica.ready_at_ns, scenario.duration_ns, "the duration")


def _placement(scenario: Scenario, index: int, model: ModelSpec) -> Iterator[Contradiction]:
    nodes = {node.name: node for node in scenario.nodes}
    if all(model.vram_bytes > node.vram_bytes for node in scenario.nodes):
        most = format_size(max(node.vram_bytes for node in scenario.nodes))
        text = f"found {format_size(model.vram_bytes)}, which fits no node; allowed: up to {most}"
        yield ("models", index, "vram"), text
        return
    placed: Counter[str] = Counter()
    for number, replica in enumerate(model.replicas):
        path, node = ("models", index, "replicas", number, "node"), nodes[replica.node]
        placed[node.name] += 1
        if placed[node.name] == node.slots + 1:
            text = f"found more replicas on {node.name} than it has slots; allowed: {node.slots}"
            yield path, text
        if model.vram_bytes > node.vram_bytes:
            size = format_size(model.vram_bytes)
            yield path, f"{model.name} needs {size}; allowed: a node with as much, {node.name} is smaller"


def _hardware(scenario: Scenario, index: int, model: ModelSpec) -> Iterator[Contradiction]:
    without = [node.name for node in scenario.nodes if node.hardware is None]
    if model.service.profile is not None and without:
        text = f"needs every node's hardware, and {without[0]} names none; allowed: hardware: gb10 or thor on each"
        yield ("models", index, "service", "profile"), text


def _prompt_cache(index: int, model: ModelSpec) -> Iterator[Contradiction]:
    if model.backend.prompt_cache_blocks and not model.service.has_prefill:
        text = "found a cache that spares nothing; allowed: service by prefill and decode, or by profile"
        yield ("models", index, "backend", "prompt_cache"), text


def _scheduling(scenario: Scenario, index: int, model: ModelSpec) -> Iterator[Contradiction]:
    scheduling, path = model.scheduling, ("models", index, "scheduling")
    for number, name in enumerate(scheduling.conflicts):
        if name == model.name:
            yield (*path, "conflicts", number), f"found {found(name)}, the model itself; allowed: other models"
    matching = scenario.matching_nodes(model)
    if not matching:
        yield (*path, "selector"), "found labels that no node has; allowed: labels of at least one node"
        return
    slots = sum(node.slots for node in matching)
    if scheduling.min_replicas is not None and scheduling.min_replicas > slots:
        text = f"found {scheduling.min_replicas}; allowed: up to {slots}, the slots of the nodes that it may run on"
        yield (*path, "min"), text


def _workload(scenario: Scenario, index: int) -> Iterator[Contradiction]:
    workload = scenario.workload[index]
    first_key = "at" if isinstance(workload, BurstWorkload) else "start"
    first_ns = workload.at_ns if isinstance(workload, BurstWorkload) else workload.start_ns
    end_ns = horizon_ns(scenario, workload)
    if first_ns >= end_ns:
        end = "stop" if workload.stop_ns == end_ns else "the duration"
        yield ("workload", index, first_key), _too_late(first_ns, end_ns, end)
    model = next(model for model in scenario.models if model.name == workload.model)
    if model.service.has_prefill and not isinstance(workload, TraceWorkload):
        for key, tokens in (("prompt_tokens", workload.prompt_tokens), ("output_tokens", workload.output_tokens)):
            if tokens.mean <= 0:
                yield (
                    ("workload", index, key),
                    f"no tokens, though {model.name} is served by tokens; allowed: 1 or more",
                )
    if is_endless(scenario, workload):
        text = "found users with no time between requests; allowed: think, service or latency above zero"
        yield ("workload", index, "think"), text


def _fault(scenario: Scenario, index: int, fault: Spec) -> Iterator[Contradiction]:
    at_ns = getattr(fault, "at_ns", 0)  # Some kinds hold all the time.
    if at_ns >= scenario.duration_ns:
        yield ("faults", index, "at"), _too_late(at_ns, scenario.duration_ns, "the duration")
    if isinstance(fault, ReplicaTarget):
        slots = next(node.slots for node in scenario.nodes if node.name == fault.node)
        if fault.index >= slots:
            text = f"found {fault.index}; allowed: an index below the slots of {fault.node}, {slots}"
            yield ("faults", index, "index"), text


def _demand(scenario: Scenario) -> Iterator[Contradiction]:
    total = expected_requests(scenario)
    if total > MOST_REQUESTS:
        yield (
            ("workload",),
            f"found about {total:,.0f} requests; allowed: {MOST_REQUESTS:,}, so lower rates or duration",
        )
    if scenario.control_plane is not None:
        ticks = expected_ticks(scenario, scenario.control_plane)
        if ticks > MOST_TICKS:
            text = f"found about {ticks:,} heartbeats and ticks; allowed: {MOST_TICKS:,}, so longer times between them"
            yield ("control_plane",), text


def _too_late(found_ns: int, limit_ns: int, limit: str) -> str:
    return f"found {format_duration(found_ns)}; allowed: less than {limit}, {format_duration(limit_ns)}"
