"""What the registry holds, as it is read from there: nodes, replica rows, loads under way, cooldowns.

A request needs one row; placement and the loops need all of them. They read a snapshot and decide over it without
effects. Each change checks again that what it depends on still holds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import NamedTuple

from sim.routing.errors import StaleRevision
from sim.routing.replica import NULL, ReplicaKey


class NodeStatus(StrEnum):
    """What the registry records about a node."""

    REGISTERING = "registering"
    PENDING = "pending"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    """Routing passes it over; its rows stay."""
    OFFLINE = "offline"
    """Its heartbeat has been missing; its rows are deleted."""
    DRAINING = "draining"
    """Taken out of service by hand; its rows are deleted."""


class NodeRule(NamedTuple):
    """What the status of a node means for its rows."""

    delete_rows: Collection[NodeStatus]
    """A node that gets one of these loses its rows."""
    may_serve: Collection[NodeStatus]
    """Only rows on nodes with one of these are picked."""


STATUS_HEEDED = NodeRule((NodeStatus.OFFLINE, NodeStatus.DRAINING), (NodeStatus.HEALTHY,))
"""LocalAI's rule since pull request 9754."""

STATUS_IGNORED = NodeRule((NodeStatus.OFFLINE,), tuple(NodeStatus))
"""A drained node keeps its rows, and they are picked. LocalAI's rule before."""


class RowState(StrEnum):
    """What a replica's row says of its process; only loaded ones are picked."""

    STAGING = "staging"
    LOADING = "loading"
    LOADED = "loaded"
    UNLOADING = "unloading"
    """Its model has a newer revision: the row holds no slot, and is deleted once its process has ended."""
    IDLE = "idle"


OVERTAKEN: Collection[RowState] = (RowState.STAGING, RowState.LOADING, RowState.LOADED)
"""States of the rows that a new revision of their model turns into unloading."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a worker says of itself when it registers."""

    name: str
    address: str = ""
    """Where its first process is to listen; empty if unknown."""
    slots: int = 1
    """Most replicas of one model."""
    total_vram_bytes: int = 0
    total_disk_bytes: int = 0
    """0 if unknown."""
    labels: Mapping[str, str] = field(default_factory=dict)
    capacities: Mapping[str, float] = field(default_factory=dict)
    """By model, how fast a replica here serves: tokens per second, or any other rate that all nodes measure alike.

    `capacity_of` says what holds for a model that is not named.
    """

    def __post_init__(self) -> None:
        """Raise ValueError for a capacity that is not above 0."""
        for model, capacity in self.capacities.items():
            if not 0 < capacity < inf:
                raise ValueError(f"capacities: found {capacity:g} for {model} on {self.name}; allowed: more than 0")


def capacity_of(model: str, announced: Mapping[str, float]) -> float:
    """Return how fast a node serves the model, by what it has announced; 1 if it did not name the model."""
    return announced.get(model, 1.0)


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a worker says in a heartbeat; None where it says nothing."""

    available_vram_bytes: int | None = None
    available_disk_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A node's row."""

    name: str
    status: NodeStatus
    address: str
    slots: int
    labels: Mapping[str, str]
    heartbeat_ns: int
    """Wall time of the last one."""
    available_vram_bytes: int
    reserved_vram_bytes: int
    """Promised to loads that the node has not reported yet."""
    total_disk_bytes: int
    """0 if unknown."""
    available_disk_bytes: int
    capacities: Mapping[str, float] = field(default_factory=dict)
    """By model, as the node announced them."""

    @property
    def is_healthy(self) -> bool:
        """Whether it may serve and take replicas."""
        return self.status is NodeStatus.HEALTHY

    @property
    def unreserved_vram_bytes(self) -> int:
        """What a new replica can count on: nothing if what is available is NULL."""
        return 0 if self.available_vram_bytes == NULL else self.available_vram_bytes - self.reserved_vram_bytes


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    """A replica's row; times are wall times of whoever wrote them."""

    id: str
    key: ReplicaKey
    address: str
    state: RowState
    in_flight: int
    last_used_ns: int
    updated_ns: int
    """When it was last used, written or confirmed."""
    revision: str = ""
    """The revision of its model that it was loaded for; empty for none."""

    @property
    def is_loaded(self) -> bool:
        """Whether it may be picked, if it is of the model's current revision."""
        return self.state is RowState.LOADED


class LoadState(StrEnum):
    """How far a load has come."""

    PENDING = "pending"
    INSTALLING = "installing"
    STAGING = "staging"
    LOADING = "loading"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LoadJob:
    """A row of the registry for a load that outlives its request, while it runs and shortly after it has failed.

    A model has one at most.
    """

    id: str
    model: str
    state: LoadState
    heartbeat_ns: int
    """Wall time of its owner's last heartbeat."""
    cause: str = ""
    """Why it failed."""


class Cooldown(NamedTuple):
    """How often a model below its minimum found no free slot, and when the reconciler tries again."""

    fruitless_passes: int
    until_ns: int
    """Wall time before which it does not; 0 for no such time."""


NO_COOLDOWN = Cooldown(0, 0)


@dataclass(frozen=True, slots=True)
class Fleet:
    """One reading of the registry."""

    nodes: Sequence[Node]
    """By name."""
    rows: Sequence[ReplicaRow]
    """By id."""
    loadable: Mapping[str, None]
    """Models whose load options are stored. Any other model is loaded only for a request, which brings the options."""
    cooldowns: Mapping[str, Cooldown]
    """By model; absent if there was never one, or it was cleared."""
    revisions: Mapping[str, str] = field(default_factory=dict)
    """The current one by model; absent if there was never one."""

    def healthy_nodes(self) -> list[Node]:
        """Return the nodes that may serve, by name."""
        return [node for node in self.nodes if node.is_healthy]

    def rows_of(self, model: str) -> list[ReplicaRow]:
        """Return the model's rows in any state, by id."""
        return [row for row in self.rows if row.key.model == model]

    def rows_on(self, node: str) -> list[ReplicaRow]:
        """Return the node's rows in any state, by id."""
        return [row for row in self.rows if row.key.node == node]

    def is_current(self, row: ReplicaRow) -> bool:
        """Return whether the row was loaded for its model's current revision; always true if the model has none."""
        return self.revisions.get(row.key.model, row.revision) == row.revision

    def loaded(self, model: str) -> list[ReplicaRow]:
        """Return the model's loaded rows of the current revision, by id; their nodes may be in any state."""
        return [row for row in self.rows if row.key.model == model and row.is_loaded and self.is_current(row)]


def require_current(key: ReplicaKey, revision: str, current: str) -> None:
    """Raise StaleRevision if the replica's revision is not the one that its model is at; empty stands for none."""
    if revision != current:
        raise StaleRevision(f"{key} was loaded for revision {revision!r} of {key.model}, which is at {current!r}")
