"""The client cache that a frontend's settings ask for."""

from sim.routing.client_cache.cache import ClientCache, DetachedRoutes, SupersededReservations, UncheckedRoutes
from sim.routing.client_cache.failure_domain import BOUNDED, PATIENT, FailureDomain, OneReplica, WholeModel
from sim.routing.client_cache.kept import KeptClients
from sim.routing.client_cache.liveness import LivenessCheck
from sim.routing.client_cache.parts import LoaderParts
from sim.routing.client_cache.per_request import CoarselyLocked, FinelyLocked
from sim.routing.client_cache.sticky import StickyClients
from sim.routing.ports import FrontendPorts
from sim.routing.request_path.route import FindRoute
from sim.routing.settings import FrontendSettings


def new_client_cache(settings: FrontendSettings, ports: FrontendPorts, find_route: FindRoute) -> ClientCache:
    """Return the cache, with nothing in it; `find_route` is what it asks for new routes."""
    if settings.reservation == "first_call_or_next_route":
        find_route = SupersededReservations(find_route).route
    cache = _cache(settings, ports, find_route)
    return DetachedRoutes(ports.runtime, cache) if settings.cancellation == "detached" else cache


def _cache(settings: FrontendSettings, ports: FrontendPorts, find_route: FindRoute) -> ClientCache:
    is_sticky, is_checked = settings.client_cache == "sticky", settings.liveness != "none"
    if not (is_sticky or is_checked) and settings.failure_domain == "replica":
        return UncheckedRoutes(find_route)
    clients, check = KeptClients(), LivenessCheck(ports) if is_checked else None
    is_coarse = is_sticky or settings.liveness == "coarse_lock"
    domain: FailureDomain = OneReplica(clients)
    if settings.failure_domain == "model":
        domain = WholeModel(ports, clients, PATIENT if is_coarse else BOUNDED)
    parts = LoaderParts(ports, find_route, clients, check, domain)
    if is_sticky:
        return StickyClients(parts)
    return CoarselyLocked(parts) if is_coarse else FinelyLocked(parts)
