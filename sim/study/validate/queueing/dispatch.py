"""Several servers with a queue each, request by request, and what a policy is shown of them.

The policy is the real one, with the draws that it makes in the simulator. Everything else is written once more here,
without processes, calls, clocks or a registry.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final, Literal

from sim.routing.policies.port import PolicyClock, PolicyContext, ReplicaView, RequestView
from sim.routing.units import NS_PER_S
from sim.scenario import Scenario
from sim.scenario.policies.making import checked_parameters, draws_of
from sim.scenario.policies.sources import find_policy

_REQUEST: Final = RequestView(0, "m", 0)
"""All requests are alike to the policies that are compared here."""

Views = Sequence[ReplicaView]


class Servers:
    """How many requests each server has, at a moment that only moves on."""

    def __init__(self, count: int) -> None:
        self.views = [ReplicaView(str(number), f"n{number}", 0, 0, 0, 0) for number in range(count)]
        """As of the last moment that was asked for. A request that ends at a moment has left."""
        self._free_ns = [0] * count
        self._ends: list[tuple[int, int]] = []

    def until(self, moment_ns: int) -> None:
        """Let the requests leave that end up to the moment."""
        while self._ends and self._ends[0][0] <= moment_ns:
            _, server = heappop(self._ends)
            self.views[server] = _with_more(self.views[server], -1)

    def take(self, server: int, arrival_ns: int, demand_ns: int) -> int:
        """Put a request at the end of the server's queue, and return when it starts."""
        start_ns = max(arrival_ns, self._free_ns[server])
        self._free_ns[server] = start_ns + demand_ns
        heappush(self._ends, (start_ns + demand_ns, server))
        self.views[server] = _with_more(self.views[server], 1)
        return start_ns


def _with_more(view: ReplicaView, requests: int) -> ReplicaView:
    # Twice as fast as `_replace`.
    return ReplicaView(view.id, view.node, 0, view.in_flight + requests, 0, 0)


class Picks:
    """The policy of the only frontend in a run of the seed."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        spec = scenario.router_of(0).policy
        new_policy: Any = find_policy(spec)
        parameters = checked_parameters(new_policy, spec.parameters)
        self._now_ns = 0
        clock = PolicyClock(lambda: self._now_ns)
        self._policy = new_policy(PolicyContext(0, clock, draws_of(seed, 0), parameters))

    def server_of(self, views: Views, now_ns: int) -> int:
        """Return the server that the policy picks of one or more."""
        self._now_ns = now_ns
        return int(self._policy.pick(views, _REQUEST).id)


class Reading:
    """Shows the policy the figures as they were read."""

    def __init__(self, views: Views) -> None:
        self.views = list(views)
        self.is_idle = not any(view.in_flight for view in views)
        """Whether nothing was in flight when they were read, and nothing has been sent since."""

    def pick(self, picks: Picks, now_ns: int) -> int:
        """Return a server."""
        self.is_idle = False
        return picks.server_of(self.views, now_ns)


class WithOwnSends(Reading):
    """Adds what has been sent since. What has ended since is seen with the next reading."""

    def pick(self, picks: Picks, now_ns: int) -> int:
        """Return a server."""
        server = super().pick(picks, now_ns)
        self.views[server] = _with_more(self.views[server], 1)
        return server


class InTurn(Reading):
    """Takes the figures as the order of turns."""

    def __init__(self, views: Views) -> None:
        super().__init__(views)
        self._in_turn: list[int] = []
        self._turn = 0

    def pick(self, picks: Picks, now_ns: int) -> int:
        """Return a server."""
        if self.views:
            server = super().pick(picks, now_ns)
            self.views = [view for view in self.views if int(view.id) != server]
            self._in_turn.append(server)
            return server
        server = self._in_turn[self._turn % len(self._in_turn)]
        self._turn += 1
        return server


ShownCounts = Literal["snapshot", "own_sends", "rotate"]

_READINGS: Final[Mapping[ShownCounts, Callable[[Views], Reading]]] = {
    "snapshot": Reading,
    "own_sends": WithOwnSends,
    "rotate": InTurn,
}
"""By the name that scenarios give them."""


class _FromReadings:
    """Reads at equal distances as long as there are requests, and begins anew with the first one after that."""

    def __init__(self, servers: Servers, picks: Picks, every_ns: int, new_reading: Callable[[Views], Reading]) -> None:
        self._servers = servers
        self._picks = picks
        self._every_ns = every_ns
        self._new_reading = new_reading
        self._reading: Reading | None = None
        self._due_ns = 0

    def server_for(self, arrival_ns: int) -> int:
        while self._reading is not None and self._due_ns <= arrival_ns:
            self._reading = None if self._reading.is_idle else self._read(self._due_ns)
        reading = self._reading = self._reading or self._read(arrival_ns)
        return reading.pick(self._picks, arrival_ns)

    def _read(self, moment_ns: int) -> Reading:
        self._servers.until(moment_ns)
        self._due_ns = moment_ns + self._every_ns
        return self._new_reading(self._servers.views)


@dataclass(frozen=True, slots=True)
class OldFigures:
    """A list of the servers that the frontend reads again and again."""

    every_s: float
    shows: ShownCounts
    mean_wait_s: float = 0.0
    """About how long requests will wait, which says how long a warm-up has to be."""

    @property
    def text(self) -> str:
        """The list in a scenario."""
        return f"{{refresh: {round(1000 * self.every_s)}ms, counts: {self.shows}}}"

    def dispatcher(self, servers: Servers, picks: Picks) -> Callable[[int], int]:
        """Return what takes the moment of an arrival, later each time, and returns its server."""
        return _FromReadings(servers, picks, round(self.every_s * NS_PER_S), _READINGS[self.shows]).server_for


def fresh_figures(servers: Servers, picks: Picks) -> Callable[[int], int]:
    """Return what takes the moment of an arrival, later each time, and returns its server."""

    def server_for(arrival_ns: int) -> int:
        servers.until(arrival_ns)
        return picks.server_of(servers.views, arrival_ns)

    return server_for
