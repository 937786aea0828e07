"""Never leaves the frontend's own zone while there is anybody in it."""

from collections.abc import Sequence

from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.least_in_flight import least_loaded
from sim.routing.policies.standard.ties import tie_breaker
from sim.routing.policies.standard.zone_aware import Zones


class OwnZoneOnly:
    """Takes a least loaded replica of the own zone; one of all only where the zone has none.

    The mistake: it takes for granted that traffic is spread over the zones as replicas are. If all of it comes from one
    zone, that zone drowns while the others have nothing to do (Kubernetes enhancements pull request 2005).
    """

    parameters = Zones

    def __init__(self, context: PolicyContext) -> None:
        self._zones: Zones = context.parameters
        self._frontend = context.frontend
        self._break_tie = tie_breaker("random", context.random)

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return a least loaded replica of the zone."""
        return self._break_tie(least_loaded(self._zones.local(replicas, self._frontend) or replicas))
