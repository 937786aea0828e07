"""One health call with a time limit, recorded when it ends, and how its outcome is read."""

from collections.abc import Mapping

from sim.routing.errors import CallError, DeadlineExceeded
from sim.routing.outcomes import ProbeOutcome
from sim.routing.ports import Backend, FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request

Reading = Mapping[ProbeOutcome, bool]
"""For each outcome of a probe, whether the replica may go on serving."""

DELETE_ROW_ON_TIMEOUT: Reading = {
    ProbeOutcome.OK: True,
    ProbeOutcome.TIMEOUT: False,
    ProbeOutcome.FAILED: False,
}
"""LocalAI's reading: a replica that does not answer OK in time is dead."""

BUSY_IS_NOT_DEAD: Reading = {ProbeOutcome.OK: True, ProbeOutcome.TIMEOUT: True, ProbeOutcome.FAILED: False}
"""The repaired reading: a replica that is too busy to answer is alive; only a refusal means that it is dead."""


class HealthCheck:
    """Sends health calls, and records and returns how they ended."""

    __slots__ = ("_journal", "_limit_ns", "_runtime")

    def __init__(self, ports: FrontendPorts, limit_ns: int) -> None:
        self._runtime = ports.runtime
        self._journal = ports.journal
        self._limit_ns = limit_ns

    async def ask(self, request: Request | None, key: ReplicaKey, address: str, backend: Backend) -> ProbeOutcome:
        """Probe the replica, for a request or for none; an answer at the very instant of the limit is too late."""
        started_ns = self._runtime.now_ns()
        try:
            await self._runtime.within(self._limit_ns, backend.health())
        except DeadlineExceeded:
            outcome = ProbeOutcome.TIMEOUT
        except CallError:
            outcome = ProbeOutcome.FAILED
        except GeneratorExit:
            raise  # The world has ended, and the probe has no outcome.
        except BaseException:
            # The caller that runs the probe has left: a probe that is cut short is a failure like any other.
            self._journal.probed(request, key, address, started_ns, ProbeOutcome.FAILED)
            raise
        else:
            outcome = ProbeOutcome.OK
        self._journal.probed(request, key, address, started_ns, outcome)
        return outcome
