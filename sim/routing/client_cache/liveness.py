"""The liveness check of a kept client: a health call that is not the probe of the route."""

from enum import Enum

from sim.routing.client_cache.kept import KeptClient
from sim.routing.errors import CallError, DeadlineExceeded, Unavailable, Unwell
from sim.routing.outcomes import ProbeOutcome
from sim.routing.ports import FrontendPorts
from sim.routing.request import Request
from sim.routing.units import NS_PER_S

RECENTLY_HEALTHY_NS = 30 * NS_PER_S
"""How long a client that has answered is not asked again."""

LIVENESS_LIMIT_NS = 10 * NS_PER_S
"""How long a check may take."""


class Said(Enum):
    """What a check says of a client."""

    WELL = "well"
    """It has answered, now or lately."""
    NOTHING = "nothing"
    """It did not say that it is well, and may be busy; the next request asks again."""
    REFUSED = "refused"
    """Nobody is there."""


class LivenessCheck:
    """Asks kept clients whether they are well."""

    __slots__ = ("_journal", "_runtime")

    def __init__(self, ports: FrontendPorts) -> None:
        self._runtime = ports.runtime
        self._journal = ports.journal

    async def ask(self, request: Request, client: KeptClient) -> Said:
        """Ask on behalf of the request, unless the client has answered lately."""
        started_ns = self._runtime.now_ns()
        if client.answered_ns is not None and started_ns - client.answered_ns < RECENTLY_HEALTHY_NS:
            return Said.WELL
        try:
            await self._runtime.within(LIVENESS_LIMIT_NS, client.route.to.backend.health())
        except DeadlineExceeded:
            said, outcome = Said.NOTHING, ProbeOutcome.TIMEOUT
        except CallError as error:
            is_gone = isinstance(error, Unavailable) and not isinstance(error, Unwell)
            said, outcome = Said.REFUSED if is_gone else Said.NOTHING, ProbeOutcome.FAILED
        else:
            client.answered_ns = self._runtime.now_ns()
            said, outcome = Said.WELL, ProbeOutcome.OK
        self._journal.checked(request, client.route.to.key, client.route.to.address, started_ns, outcome)
        return said
