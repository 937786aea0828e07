"""The way of a request to its replica: pick a row, vouch for it, fall through to a cold load if it seems dead."""

from collections.abc import Callable, Collection, Mapping

from sim.routing.errors import CallError, NoMatchingNode
from sim.routing.loading.cold_load import ColdLoad
from sim.routing.loading.placement import matching_nodes
from sim.routing.policies.choose import Choose, Chooser
from sim.routing.ports import FrontendPorts
from sim.routing.request import Request
from sim.routing.request_path.health_check import HealthCheck, Reading
from sim.routing.request_path.probe_cache import ProbeCache
from sim.routing.request_path.route import Counting, Destination, Route

_NONE: Collection[str] = ()

PickScope = Callable[[Collection[str]], Collection[str]]
"""Given the nodes that a model's selector matches, returns those that the pick is told of; none for any node."""


def among_matching(nodes: Collection[str]) -> Collection[str]:
    """Let the pick keep to the selector. LocalAI's way since pull request 9652."""
    return nodes


def among_all(_nodes: Collection[str]) -> Collection[str]:
    """Let the pick take any node; a route to one that does not match is given up after it. LocalAI's way before."""
    return _NONE


class Router:
    """Routes the requests of one frontend."""

    __slots__ = (
        "_anywhere",
        "_chooser",
        "_cold_load",
        "_counting",
        "_destinations",
        "_dialer",
        "_health_check",
        "_journal",
        "_probe_cache",
        "_reading",
        "_registry",
        "_scope",
        "_selectors",
    )

    def __init__(
        self,
        ports: FrontendPorts,
        counting: Counting,
        probe_cache: ProbeCache,
        health_check: HealthCheck,
        reading: Reading,
        cold_load: ColdLoad,
        selectors: Mapping[str, Mapping[str, str]],
        scope: PickScope,
        chooser: Chooser,
    ) -> None:
        """`selectors` are the labels that a node must have, by model; a model that is not among them has none."""
        self._counting = counting
        self._registry = ports.registry
        self._dialer = ports.dialer
        self._journal = ports.journal
        self._probe_cache = probe_cache
        self._health_check = health_check
        self._reading = reading
        self._cold_load = cold_load
        self._selectors = selectors
        self._scope = scope
        self._chooser = chooser
        self._anywhere = chooser.anywhere
        self._destinations: dict[str, Destination] = {}
        """By row id."""

    async def route(self, request: Request) -> Route:
        """Return a client for a replica of the request's model, with a reservation on its row.

        Raises a CallError if there is no replica and none can be loaded.
        """
        return await self.warm_route(request) or await self._cold_load.route(request, self.warm_route)

    async def warm_route(self, request: Request) -> Route | None:
        """Return a client for the row that the policy chose; None if it chose none, or if the row seems dead.

        A row that seems dead is deleted, whatever the process behind it is doing. Raises NoMatchingNode if the model
        asks for labels that no healthy node has.
        """
        choose, candidates = self._anywhere, _NONE
        if choose is None or request.model in self._selectors:
            choose, candidates = await self._own_choice(request)
        try:
            replica = await self._registry.pick(request.model, choose)
        except CallError:
            return None
        if replica is None:
            return None
        to = self._destinations.get(replica.id)
        if to is None or to.address != replica.address:
            backend = self._dialer.dial(replica.key, replica.address)
            to = self._destinations[replica.id] = Destination(replica.key, replica.address, backend)
        route = Route(self._counting, to)
        remembered = self._probe_cache.remembered(to.place)
        self._journal.picked(request, replica, remembered)
        try:
            if (remembered is None and not await self._answers(request, route)) or (
                candidates and not await self._has_labels(route)
            ):
                return None
            await self._registry.touch(to.key)
        except CallError as error:
            self._counting.on_registry_error(error, route)
        except BaseException:
            route.leave()
            raise
        return route

    async def _own_choice(self, request: Request) -> tuple[Choose, Collection[str]]:
        """Return what this request asks of the registry, and the nodes that it has to go to; none if any will do."""
        if request.model not in self._selectors:
            return self._chooser.choice(request, _NONE), _NONE
        candidates = await self._candidates(request.model)
        return self._chooser.choice(request, self._scope(candidates)), candidates

    async def _candidates(self, model: str) -> Collection[str]:
        """Return the nodes that have the labels of the model's selector. Raises NoMatchingNode if there are none."""
        matching = matching_nodes(await self._registry.fleet(), self._selectors[model])
        if not matching:
            raise NoMatchingNode(f"no healthy nodes match the selector of {model}")
        return [node.name for node in matching]

    async def _has_labels(self, route: Route) -> bool:
        """Look again: labels may have changed since the pick. Labels that cannot be read do not stand in the way."""
        key = route.to.key
        try:
            is_among = key.node in await self._candidates(key.model)
        except NoMatchingNode:
            is_among = False
        except CallError:
            is_among = True
        if not is_among:
            route.release()
        return is_among

    async def _answers(self, request: Request, route: Route) -> bool:
        """Have the replica probed; one that seems dead loses the reservation and its row."""

        async def probe() -> bool:
            return self._reading[await self._health_check.ask(request, to.key, to.address, to.backend)]

        to = route.to
        answer = await self._probe_cache.check(to.place, probe)
        self._journal.vouched(request, answer)
        if not answer.alive:
            route.release()
            await route.remove_row(request, "probe_failed")
        return answer.alive
