"""Stays in the frontend's own zone, unless others have much less to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sim.routing.policies.limits import check_count
from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.least_in_flight import least_loaded
from sim.routing.policies.standard.ties import TiesName, tie_breaker


@dataclass(frozen=True, slots=True)
class Zones:
    """Where nodes and frontends are."""

    nodes: Mapping[str, str] = field(default_factory=dict)
    """Zone of each node, by name."""
    frontends: tuple[str, ...] = ()
    """Zone of each frontend, by index; one that is not listed has none."""

    def local(self, replicas: Sequence[ReplicaView], frontend: int) -> list[ReplicaView]:
        """Return the replicas in the frontend's zone."""
        if frontend >= len(self.frontends):
            return []
        zone = self.frontends[frontend]
        return [replica for replica in replicas if self.nodes.get(replica.node) == zone]


@dataclass(frozen=True, slots=True)
class ZoneAwareParameters(Zones):
    """The policy's keys in a scenario."""

    max_excess: int = 2
    """Requests that the zone's least loaded replica may have in flight above the least loaded of all."""
    ties: TiesName = "random"
    """Which of the least loaded gets the request."""

    def __post_init__(self) -> None:
        """Raise ValueError for an excess below 0."""
        check_count("max_excess", self.max_excess, 0)


class ZoneAware:
    """Takes a least loaded replica of the own zone, or of all once the zone is busier than the rest by too much.

    Envoy's and Kubernetes' rules go by the zone's share of the hosts instead, and assume that traffic is spread over
    the zones in some known way. This one looks at requests in flight.
    """

    parameters = ZoneAwareParameters

    def __init__(self, context: PolicyContext) -> None:
        self._keys: ZoneAwareParameters = context.parameters
        self._frontend = context.frontend
        self._break_tie = tie_breaker(self._keys.ties, context.random)

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return a least loaded replica of the zone, if it is not too busy."""
        everywhere = least_loaded(replicas)
        here = least_loaded(self._keys.local(replicas, self._frontend))
        stays = here and here[0].in_flight <= everywhere[0].in_flight + self._keys.max_excess
        return self._break_tie(here if stays else everywhere)
