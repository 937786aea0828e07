"""What the figures of a run need to know beside its records: facts of the scenario, and what the world counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from sim.routing.replica import ReplicaKey
from sim.scenario import Scenario
from sim.scenario.spec.policy import PolicySpec
from sim.scenario.spec.service import relative_speed
from sim.scenario.vocabulary import replica_label

TIES_TO_FIRST = "first"
"""The rule for ties of a policy, unless its key `ties` says otherwise."""


class PolicyFacts(NamedTuple):
    """What a frontend picks by, as far as it explains picks."""

    name: str
    """As in the scenario."""
    ties: str = TIES_TO_FIRST
    """Its rule for ties."""

    @classmethod
    def of(cls, policy: PolicySpec) -> Self:
        """Return the facts of a policy of the scenario."""
        return cls(policy.name, str(policy.parameters.get("ties", TIES_TO_FIRST)))


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The scenario as far as figures and labels depend on it."""

    models: tuple[str, ...]
    """All of them, in the scenario's order, whether or not a request asked for them."""
    warmup_ns: int = 0
    """What happened earlier is left out."""
    duration_ns: int = 0
    """From then on nothing arrives."""
    workers: Mapping[str, int] = field(default_factory=dict)
    """By model, how many requests each of its replicas serves at a time; 1 where nothing is said."""
    speeds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By model and node, how fast the node's replicas serve; 1 where nothing is said."""
    has_loops: bool = False
    """Whether background loops run."""
    faults: tuple[str, ...] = ()
    """The kinds of fault that are to strike."""
    minimums: Mapping[str, int] = field(default_factory=dict)
    """How many replicas a model should have, of those that should have any."""
    matching_nodes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The nodes that have the labels that a model asks for, of those that ask for any."""
    policies: tuple[PolicyFacts, ...] = ()
    """What each frontend picks by, in the order of the frontends."""

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """Return the facts of a complete scenario."""
        return cls(
            models=tuple(model.name for model in scenario.models),
            warmup_ns=scenario.warmup_ns,
            duration_ns=scenario.duration_ns,
            workers={model.name: model.backend.workers for model in scenario.models},
            speeds={
                model.name: {node.name: relative_speed(model.service, node) for node in scenario.nodes}
                for model in scenario.models
            },
            has_loops=scenario.control_plane is not None,
            faults=tuple(dict.fromkeys(fault.kind for fault in scenario.faults)),
            minimums={model.name: least for model in scenario.models if (least := model.scheduling.min_replicas)},
            matching_nodes={
                model.name: tuple(node.name for node in scenario.matching_nodes(model))
                for model in scenario.models
                if model.scheduling.selector
            },
            policies=tuple(
                PolicyFacts.of(scenario.router_of(frontend).policy) for frontend in range(scenario.frontends.count)
            ),
        )

    @property
    def several_models(self) -> bool:
        """Whether a replica's label has to name its model."""
        return len(self.models) > 1

    def label(self, key: ReplicaKey) -> str:
        """Return what the replica is called in metrics, tables and frames."""
        return replica_label(key.node, key.replica_index, key.model if self.several_models else None)


@dataclass(frozen=True, slots=True)
class Totals:
    """What only the world can count over a whole run."""

    transactions: int
    """Registry transactions, those that waited for no lock included."""
    floor_hits: int
    """Times a row's in-flight count was to be taken below 0."""
    final_in_flight: int
    """Sum of the rows' in-flight counts at the end."""
    drift_ns: int | None
    """Integral over time of the distance between stored and true in-flight count, summed over the rows.

    None if the world cannot tell.
    """
    end_ns: int
