"""How a frontend reuses a route: for one request, or for good."""

from collections.abc import Callable, Coroutine
from typing import Any

from sim.routing.outcomes import ProbeOutcome
from sim.routing.ports import FrontendPorts
from sim.routing.request import Request
from sim.routing.request_path.health_check import HealthCheck
from sim.routing.request_path.route import Route
from sim.routing.request_path.router import Router
from sim.routing.units import NS_PER_S

RECENTLY_HEALTHY_NS = 30 * NS_PER_S
"""How long a kept route is used without a check that its process still answers."""

LIVENESS_LIMIT_NS = 10 * NS_PER_S
"""How long that check may take."""


ClientCache = Callable[[Request], Coroutine[Any, Any, Route]]
"""Finds the route of a request; raises a CallError if there is no replica and none can be loaded."""


def per_request(router: Router) -> ClientCache:
    """Return a cache that keeps nothing: every request is routed anew, as since LocalAI's pull request 9968."""
    return router.route


class Sticky:
    """Keeps the first route of each model and reuses it: the behaviour before that fix.

    A kept route is dropped only when its process refuses a health call, which is sent at most once in 30 s while it
    succeeds. A process too busy to answer keeps its route.
    """

    __slots__ = ("_clock", "_health_check", "_healthy_ns", "_kept", "_router")

    def __init__(self, ports: FrontendPorts, router: Router) -> None:
        self._router = router
        self._clock = ports.runtime
        self._health_check = HealthCheck(ports, LIVENESS_LIMIT_NS)
        self._kept: dict[str, Route] = {}
        self._healthy_ns: dict[str, int] = {}

    async def route(self, request: Request) -> Route:
        """Return the model's kept route if its process still answers, else route the request and keep the new route."""
        kept = self._kept.get(request.model)
        if kept is not None and await self._still_answers(request, kept):
            return kept
        route = await self._router.route(request)
        self._kept[request.model] = route
        self._healthy_ns[request.model] = self._clock.now_ns()
        return route

    async def _still_answers(self, request: Request, kept: Route) -> bool:
        if self._clock.now_ns() - self._healthy_ns[request.model] < RECENTLY_HEALTHY_NS:
            return True
        outcome = await self._health_check.ask(request, kept.to.key, kept.to.address, kept.to.backend)
        if outcome is ProbeOutcome.OK:
            self._healthy_ns[request.model] = self._clock.now_ns()
        return outcome is not ProbeOutcome.FAILED
