"""What every way of keeping clients is made of, whichever locks it takes."""

from dataclasses import dataclass

from sim.routing.client_cache.failure_domain import FailureDomain
from sim.routing.client_cache.kept import KeptClients
from sim.routing.client_cache.liveness import LivenessCheck
from sim.routing.ports import FrontendPorts
from sim.routing.request_path.route import FindRoute


@dataclass(frozen=True, slots=True)
class LoaderParts:
    """The parts of one frontend's loader."""

    ports: FrontendPorts
    find_route: FindRoute
    """Where new routes come from."""
    clients: KeptClients
    check: LivenessCheck | None
    """None for no check of kept clients."""
    domain: FailureDomain
    """What is given up with a replica that is gone."""
