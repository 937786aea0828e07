"""What a frontend asks of its policy for each request, and what a pick then asks of the registry."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from sim.routing.policies.port import ReplicaView, RequestView
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.replica import Replica
from sim.routing.request import Request

AnyReplica = TypeVar("AnyReplica", bound=Replica)


class Choose(Protocol):
    """One pick's decision, which a registry carries out."""

    @property
    def nodes(self) -> Collection[str]:
        """Nodes whose rows count; empty for any node."""

    @property
    def order(self) -> str | None:
        """Name of an order whose first row is the choice, for a registry that can sort by it; None if there is none."""

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        """Return one of the replicas, which come by row id; None for none of them."""


class Listener(Protocol):
    """Is told what becomes of a policy's picks."""

    def sent(self, replica: ReplicaView, request: RequestView) -> None:
        """The request is about to be sent to the replica that was picked for it."""

    def ended(self, replica: ReplicaView, request: RequestView, outcome: str, duration_ns: int) -> None:
        """The request has ended as `completed`, `failed` or `cancelled`, so long after it was sent."""


class Chooser(Protocol):
    """A frontend's policy at work."""

    @property
    def anywhere(self) -> Choose | None:
        """What every request asks that may go to any node; None if each asks something of its own."""

    @property
    def listener(self) -> Listener | None:
        """Who wants to know what becomes of the picks."""

    @property
    def pressure(self) -> Pressure | None:
        """The requests that it kept from the replica that knows their prompt; None if it does not count them."""

    def choice(self, request: Request, nodes: Collection[str]) -> Choose:
        """Return what this request asks of the registry, among the rows on these nodes; on any node if empty."""


class RowPolicy(ABC):
    """A built-in policy that sees the rows themselves, without views and checks, for speed.

    It is made from a PolicyContext, or from nothing if it needs none.
    """

    anywhere: Choose | None = None
    listener: Listener | None = None
    pressure: Pressure | None = None

    @abstractmethod
    def choice(self, request: Request, nodes: Collection[str]) -> Choose:
        """Return what this request asks of the registry, among the rows on these nodes; on any node if empty."""
